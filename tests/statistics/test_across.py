"""Tests across data sets: worked examples, and SciPy's own."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from medssl_bench.statistics.across import can_tell_pairs, friedman, wilcoxon_p
from medssl_bench.statistics.verdict import holm

VALUES = np.array(
    [
        [0.81, 0.83, 0.80, 0.84],
        [0.62, 0.66, 0.61, 0.65],
        [0.90, 0.91, 0.92, 0.93],
        [0.70, 0.74, 0.69, 0.77],
        [0.55, 0.58, 0.57, 0.60],
        [0.77, 0.79, 0.75, 0.80],
    ]
)


def test_a_worked_example() -> None:
    """Of scikit-posthocs 0.17.1 and SciPy."""
    found = friedman(VALUES)
    assert found.mean_ranks == pytest.approx((10 / 3, 2, 3.5, 7 / 6))
    assert found.chi2 == pytest.approx(13.4)
    assert found.chi2_p == pytest.approx(0.003847, abs=1e-6)
    assert found.f == pytest.approx(14.5652, abs=1e-4)
    assert found.f_p == pytest.approx(0.000102653, abs=1e-9)
    assert found.critical_difference == pytest.approx(1.914843, abs=1e-6)
    pairs = (found.pairs[0][1], found.pairs[0][3], found.pairs[2][3])
    assert pairs == pytest.approx((0.278639, 0.019130, 0.009453), abs=1e-6)
    assert friedman(-VALUES, higher_is_better=False) == found


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 9), st.integers(3, 7), st.integers(0, 2**31))
def test_it_is_that_of_scipy(datasets: int, arms: int, number: int) -> None:
    values = np.random.default_rng(number).integers(0, 6, (datasets, arms)).astype(float)  # with ties
    values[0] = np.arange(arms)
    found = friedman(values)
    wanted = stats.friedmanchisquare(*values.T)
    assert (found.chi2, found.chi2_p) == pytest.approx((wanted.statistic, wanted.pvalue))
    unit = np.sqrt(arms * (arms + 1) / (12 * datasets))
    assert found.critical_difference == pytest.approx(unit * stats.studentized_range.ppf(0.95, arms, np.inf))
    gap = abs(found.mean_ranks[0] - found.mean_ranks[1])
    assert found.pairs[0][1] == pytest.approx(stats.studentized_range.sf(gap / unit, arms, np.inf), abs=1e-8)


def test_data_sets_that_agree_and_arms_that_are_equal() -> None:
    agree = friedman(np.tile([0.1, 0.2, 0.3], (5, 1)))
    assert (agree.mean_ranks, agree.chi2, agree.f, agree.f_p) == ((3, 2, 1), 10, None, 0)
    equal = friedman(np.full((5, 3), 0.5))
    assert (equal.chi2, equal.chi2_p, equal.f, equal.f_p) == (0, 1, 0, 1)


def _by_signs(differences: NDArray[np.float64]) -> float:
    """Return the p-value by all signs that differences could have."""
    kept = differences[differences != 0]
    ranks = stats.rankdata(np.abs(kept))
    sums = np.array([ranks[np.array(signs)].sum() for signs in product([False, True], repeat=len(kept))])
    middle = ranks.sum() / 2
    return float(np.mean(np.abs(sums - middle) >= abs(ranks[kept > 0].sum() - middle)))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-4, 4).filter(bool), min_size=1, max_size=9))
def test_wilcoxon_counts_signs(differences: list[int]) -> None:
    assert wilcoxon_p(np.array([*differences, 0.0])) == pytest.approx(_by_signs(np.array(differences)))


@pytest.mark.parametrize("number", range(8, 12))
def test_wilcoxon_is_that_of_scipy(number: int) -> None:
    values = np.random.default_rng(number).normal(0.3, 1.0, number)
    assert wilcoxon_p(values) == pytest.approx(stats.wilcoxon(values, method="exact").pvalue)


def test_with_six_data_sets_no_pair_can_be_told() -> None:
    gaps = [VALUES[:, one] - VALUES[:, other] for one in range(4) for other in range(one)]
    assert min(holm([wilcoxon_p(gap) for gap in gaps])) == pytest.approx(0.1875)
    assert wilcoxon_p(np.zeros(6)) == 1
    assert [can_tell_pairs(5, number) for number in (6, 7, 8)] == [False, False, True]
    assert [can_tell_pairs(arms, 8) for arms in (6, 7)] == [True, False], "7 / 128 is above 0.05"
