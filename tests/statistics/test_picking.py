"""The difference of picked arms on other images: nothing to gain where arms are equal, and what there is where not."""

from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.statistics.picking import difference_of_picked


def test_equal_arms_gain_nothing_though_the_picked_ones_seem_to():
    seeming, found = [], []
    for seed in range(40):
        random = np.random.default_rng(seed)
        new, old = ((random.random((count, 200)) < 0.7).astype(float) for count in (8, 1))
        seeming.append(new.mean(1).max() - old.mean(1).max())
        found.append(difference_of_picked(new, old, times=200))
    assert np.mean(seeming) > 0.03
    assert abs(np.mean(found)) < 0.015


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_it_is_the_plain_difference_where_the_best_is_clear(*, higher_is_better: bool):
    random = np.random.default_rng(0)
    levels = np.array([[0.9], [0.5]]) if higher_is_better else np.array([[0.1], [0.5]])
    new = levels + 0.01 * random.random((2, 300))
    old = np.full((1, 300), 0.4)
    found = difference_of_picked(new, old, higher_is_better=higher_is_better)
    assert found == pytest.approx(new[0].mean() - 0.4, abs=1e-3)


def test_a_resample_that_leaves_no_image_out_does_not_count():
    new, old = np.full((1, 2), 0.5), np.zeros((1, 2))
    assert difference_of_picked(new, old) == pytest.approx(0.5)


def test_it_is_a_loop_over_resamples():
    random = np.random.default_rng(1)
    new, old = random.random((3, 12)), random.random((2, 12))
    drawn = np.random.default_rng([0, 12]).multinomial(12, np.full(12, 1 / 12), 50)
    differences = []
    for counts in drawn:
        best = [max(arms, key=lambda arm: np.repeat(arm, counts).mean()) for arms in (new, old)]
        differences.append((best[0] - best[1])[counts == 0].mean())
    assert difference_of_picked(new, old, times=50) == pytest.approx(np.mean(differences))
