"""Words that are false by chance: as rare as promised, on simulated arms; and what intervals do not promise."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr
from simulations.equal_arms import WORLDS, Spread, equal_arms, latent_scores

from medssl_bench.datasets import Task
from medssl_bench.metrics import Predictions
from medssl_bench.metrics.influence import auroc
from medssl_bench.statistics.claim import is_refuted
from medssl_bench.statistics.interval import Estimate, estimate
from medssl_bench.statistics.label_efficiency import area, ends, rising, saved
from medssl_bench.statistics.layout import Components
from medssl_bench.statistics.resampling import as_values
from medssl_bench.statistics.varied_curves import VariedCurves
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


def test_of_five_equal_arms_each_is_seldom_left_out_of_bold() -> None:
    """The best one is picked from the same numbers, so some arm is left out a little more often than 5 %."""
    random = np.random.default_rng(6)
    first, some, pairs = [], [], []
    for _ in range(200):
        right = (latent_scores(random, (3, 3, 400), WORLDS["B"], arms=5) > 0).astype(float)
        best = int(right.mean((1, 2, 3)).argmax())
        others = [arm for arm in range(5) if arm != best]
        adjusted = dict(zip(others, holm([estimate(right[arm] - right[best]).p for arm in others]), strict=True))
        first.append(adjusted.get(0, 1.0) < ALPHA)
        some.append(min(adjusted.values()) < ALPHA)
        pairs.append(min(holm([estimate(right[i] - right[j]).p for i, j in combinations(range(5), 2)])) < ALPHA)
    assert np.mean(first) <= 0.06
    assert np.mean(some) <= 0.15
    assert np.mean(pairs) <= 0.10


def _calibration_errors(confident: NDArray[np.float64], right: NDArray[np.bool_], counts: NDArray[np.float64]) -> Any:
    """Return the expected calibration error over resamples: images are counted as often as they are drawn, (T, N)."""
    bins = np.eye(15)[np.minimum((15 * confident).astype(int), 14)]
    gaps = (counts @ (bins * confident[:, None])) - (counts @ (bins * right[:, None]))
    return np.abs(gaps).sum(1) / confident.size


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_false_verdicts_of_a_resampled_metric_are_as_rare(spread: float) -> None:
    """Of ECE, which is biased, where neither seeds nor draws decide and where both do."""
    random, false = np.random.default_rng(8), []
    for _ in range(100):
        counts = np.vstack([np.ones(300), random.multinomial(300, np.full(300, 1 / 300), 100)])
        labels, hard = random.choice([-1, 1], 300), random.normal(size=300)
        arms = np.empty((2, 3, 3, 100))
        for arm in arms:
            by_seed, by_draw = random.normal(1.0, spread, (3, 1, 1)), random.normal(0.0, spread, (1, 3, 1))
            scores = labels * (by_seed + by_draw) + hard + random.normal(0.0, 0.7, (3, 3, 300))
            for cell in np.ndindex(3, 3):
                of_one = 1 / (1 + np.exp(-1.5 * scores[cell]))
                found = _calibration_errors(np.maximum(of_one, 1 - of_one), (of_one > 0.5) == (labels > 0), counts)
                arm[cell] = as_values(found[0], found[1:])
        false.append(estimate(arms[0] - arms[1], images=300).p < ALPHA)
    assert np.mean(false) <= 0.11, "nominally 0.05; three standard errors of 100 simulations above it"


def test_values_of_resamples_are_those_of_the_images_where_the_metric_is_a_mean() -> None:
    random = np.random.default_rng(9)
    values = random.normal(size=(4, 1, 1)) + random.normal(size=(1, 3, 200)) + random.normal(size=(4, 3, 200))
    counts = random.multinomial(200, np.full(200, 1 / 200), 4000)
    drawn = np.apply_along_axis(lambda each: as_values(each.mean(), counts @ each / 200), 2, values)
    found, exact = estimate(drawn, images=200), estimate(values)
    assert found.mean == pytest.approx(exact.mean)
    assert found.variance == pytest.approx(exact.variance, rel=0.05)
    assert found.freedom == pytest.approx(exact.freedom, rel=0.05)
    assert found.shape == exact.shape
    parts, others = (Components.of(each.squares, each.shape) for each in (found, exact))
    assert [parts.seed, parts.draw_image, parts.rest] == pytest.approx(
        [others.seed, others.draw_image, others.rest], rel=0.1
    )


@pytest.mark.parametrize("spread", [Spread(0.0, 0.0, 0.0), Spread(6.0, 6.0, 0.0)])
def test_intervals_of_labels_saved_hold_what_is_true(spread: Spread) -> None:
    """Two arms at three label budgets, where neither seeds nor draws decide, and where both do."""
    random, logs = np.random.default_rng(7), np.log([100.0, 250.0, 1000.0])
    points = np.array([[0.5, 0.7, 0.9], [0.3, 0.5, 0.8]])  # of the latent score
    of_seed, of_draw = 0.029 * spread.seed, 0.029 * spread.draw
    arm, baseline = ndtr(points / np.sqrt(1.52 + of_seed**2 + of_draw**2))
    true = saved(logs, arm, baseline, baseline[2])[0], area(logs, arm) - area(logs, baseline)
    held = []
    for _ in range(100):
        hard, own = random.normal(0.0, 1.0, 300), random.normal(0.0, 0.4, (2, 1, 1, 1, 300))
        seeds, draws = random.normal(0.0, of_seed, (2, 1, 3, 1, 1)), random.normal(0.0, of_draw, (2, 1, 1, 3, 1))
        scores = hard + own + seeds + draws + random.normal(0.0, 0.6, (2, 3, 3, 3, 300))
        right = (scores + points[:, :, None, None, None] > 0).astype(float)
        found = VariedCurves.of([list(right[:, budget]) for budget in range(3)], 300, times=200)
        one, other = rising(found.curves(logs, (0, 1)).swapaxes(0, 1))
        of_ratio, of_area = ends(*saved(logs, one, other, other[:, 2])), found.areas(logs, (0, 1))[1].interval()
        held.append([low <= value <= high for (low, high), value in zip((of_ratio, of_area), true, strict=True)])
    assert (np.mean(held, 0) >= 0.89).all(), "nominally 0.95; three standard errors of 100 simulations below it"


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
