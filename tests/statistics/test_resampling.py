"""The crossed bootstrap: against a plain loop, and what it does to ranks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from medssl_bench.statistics.interval import estimate
from medssl_bench.statistics.resampling import ranks, resampled_means


def test_arms_and_columns_stay_paired() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(3, 4, 50))
    (first, second) = resampled_means([[values, values + 0.1], [2 * values]], 200)
    assert first[:, 1] - first[:, 0] == pytest.approx(0.1)
    assert second[:, 0] == pytest.approx(2 * first[:, 0])


def test_an_arm_without_chance_varies_by_images_alone() -> None:
    fixed = np.ones((1, 1, 50))
    varied = np.random.default_rng(0).normal(size=(3, 4, 50))
    ((means),) = resampled_means([[fixed, varied]], 100)
    assert means[:, 0] == pytest.approx(1.0)
    assert means[:, 1].std() > 0


def test_its_spread_is_that_of_the_interval_where_images_decide() -> None:
    values = np.random.default_rng(0).normal(size=(1, 1, 400))
    (means,) = resampled_means([[values]], 4000)
    assert means.mean() == pytest.approx(values.mean(), abs=0.005)
    assert means.std() == pytest.approx(np.sqrt(estimate(values).variance), rel=0.05)


def test_seeds_and_draws_are_drawn_with_replacement() -> None:
    values = np.broadcast_to(np.arange(3.0)[:, None, None], (3, 1, 5))
    (means,) = resampled_means([[values]], 3000)
    sums = np.round(3 * means[:, 0]).astype(int)
    shares = np.bincount(sums, minlength=7) / len(sums)
    assert shares == pytest.approx(np.array([1, 3, 6, 7, 6, 3, 1]) / 27, abs=0.03), "ten resamples of three seeds"


def test_parts_of_a_large_set_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medssl_bench.statistics.resampling._AT_ONCE", 300)
    values = np.random.default_rng(0).normal(size=(2, 2, 100))
    (means,) = resampled_means([[values]], 500)
    assert means.std() > 0
    assert means.mean() == pytest.approx(values.mean(), abs=0.02)


def test_ranks_are_scipys() -> None:
    means = np.random.default_rng(0).integers(0, 4, (200, 5)).astype(float)
    assert np.array_equal(ranks(means), rankdata(-means, axis=1))
    assert np.array_equal(ranks(means, higher_is_better=False), rankdata(means, axis=1))
