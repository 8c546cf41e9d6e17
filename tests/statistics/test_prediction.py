"""The interval of one more result: by hand, and how often it misses one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from medssl_bench.statistics.prediction import prediction_half


def test_seeds_alone_are_students_prediction_interval() -> None:
    values = np.array([[0.70], [0.74], [0.72], [0.78]])
    wanted = stats.t.ppf(0.975, 3) * values.std(ddof=1) * np.sqrt(1 + 1 / 4)
    assert prediction_half(values) == pytest.approx(wanted)


def test_seeds_and_draws_by_hand() -> None:
    """A table without interaction: its mean squares are those of the row and column effects."""
    seed, draw = np.array([0.0, 0.1, 0.2]), np.array([0.0, 0.3])
    values = 0.5 + seed[:, None] + draw
    of_seed, of_draw = (1 + 1 / 3) / 2 * 2 * 0.01, (1 + 1 / 2) / 3 * 3 * 0.045
    variance = of_seed + of_draw
    freedom = variance**2 / (of_seed**2 / 2 + of_draw**2 / 1)
    assert prediction_half(values) == pytest.approx(stats.t.ppf(0.975, freedom) * np.sqrt(variance))


@pytest.mark.parametrize(("of_seed", "of_draw", "of_cell"), [(1.0, 1.0, 0.7), (0.5, 2.0, 1.0), (1.5, 0.3, 0.5)])
@pytest.mark.parametrize(("seeds", "draws"), [(3, 3), (5, 3)])
def test_one_more_result_is_seldom_outside(
    of_seed: float, of_draw: float, of_cell: float, seeds: int, draws: int
) -> None:
    random = np.random.default_rng([seeds, draws, int(10 * of_seed)])
    outside = []
    for _ in range(2000):
        values = of_seed * random.normal(size=(seeds, 1)) + of_draw * random.normal(size=draws)
        values = values + of_cell * random.normal(size=(seeds, draws))
        other = np.array([of_seed, of_draw, of_cell]) @ random.normal(size=3)
        outside.append(abs(other - values.mean()) > prediction_half(values))
    assert np.mean(outside) <= 0.08
    assert np.mean(outside) >= 0.015
