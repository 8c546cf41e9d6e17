"""Words that are false by chance: as rare as promised, on simulated arms; and what intervals do not promise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from simulations.equal_arms import WORLDS, Spread, equal_arms, latent_scores

from medssl_bench.datasets import Task
from medssl_bench.metrics import Predictions
from medssl_bench.metrics.influence import auroc
from medssl_bench.statistics.claim import is_refuted
from medssl_bench.statistics.interval import Estimate, estimate
from medssl_bench.statistics.verdict import ALPHA, holm


def _areas(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the influence values of AUROC of each trial, (S, D, N), from scores of that shape."""
    found = np.empty_like(scores)
    for cell in np.ndindex(scores.shape[:2]):
        of_two = np.stack([-scores[cell], scores[cell]], 1).astype(np.float32)
        values = auroc(Predictions(Task.BINARY, labels[:, None], of_two))
        assert values is not None
        found[cell] = values
    return found


@pytest.mark.parametrize(("seeds", "draws"), [(3, 3), (5, 5)])
def test_false_verdicts_of_auroc_are_as_rare(seeds: int, draws: int) -> None:
    random = np.random.default_rng([seeds, draws])
    found = []
    for _ in range(200):
        labels = random.integers(0, 2, 400)
        sign = 2.0 * labels - 1
        one, other = latent_scores(random, (seeds, draws, 400), WORLDS["A"]) * sign
        found.append(estimate(_areas(one, labels) - _areas(other, labels)).p < ALPHA)
    assert np.mean(found) <= 0.10, "nominally 0.05; three standard errors of 200 simulations above it"


def test_holm_keeps_the_level_of_a_column_of_five_equal_arms() -> None:
    random = np.random.default_rng(3)
    adjusted, alone = [], []
    for _ in range(500):
        right = (latent_scores(random, (3, 3, 400), WORLDS["A"], arms=6) > 0).astype(float)
        p_values = [estimate(arm - right[0]).p for arm in right[1:]]
        alone.append(min(p_values) < ALPHA)
        adjusted.append(min(holm(p_values)) < ALPHA)
    assert np.mean(adjusted) <= 0.08
    assert np.mean(alone) > np.mean(adjusted)


def test_a_claim_of_many_contrasts_is_seldom_refuted_by_chance() -> None:
    """24 contrasts that lie at the margin exactly."""
    random = np.random.default_rng(4)
    refuted = []
    for _ in range(60):
        contrasts = [estimate(equal_arms(random, (3, 3, 400), WORLDS["A"])) for _ in range(24)]
        refuted.append(any(is_refuted(each, "above", 0.0, len(contrasts)) for each in contrasts))
    assert np.mean(refuted) <= 0.12


def test_one_draw_is_for_that_draw_alone() -> None:
    """Chance of draws is not in the interval, so it is false for other draws: tables mark it for that reason."""
    of_draws = Spread(0.5, 2.0, 0.0)
    random = np.random.default_rng(5)
    for_this_draw, for_others = [], []
    for _ in range(300):
        for_others.append(estimate(equal_arms(random, (10, 1, 400), of_draws)).p < ALPHA)
        for_this_draw.append(estimate(equal_arms(random, (10, 1, 400), Spread(0.5, 0.0, 0.0))).p < ALPHA)
    assert np.mean(for_this_draw) <= 0.10
    assert np.mean(for_others) > 0.2


def _power(shape: tuple[int, int, int]) -> float:
    random = np.random.default_rng(shape)

    def found() -> Estimate:
        one, other = (latent_scores(random, shape, WORLDS["A"], ahead=3.0) > 0).astype(float)
        return estimate(one - other)

    return float(np.mean([found().p < ALPHA for _ in range(200)]))


def test_more_of_each_sees_more() -> None:
    least = _power((3, 3, 400))
    assert _power((8, 3, 400)) > least + 0.1
    assert _power((3, 8, 400)) > least + 0.1
    assert _power((3, 3, 2000)) > least + 0.1
