"""Tests of arms across data sets, each of which counts once (Demsar 2006)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.statistics.resampling import ranks
from medssl_bench.statistics.verdict import ALPHA

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_ARMS, FEWEST = 3, 5
"""Arms and data sets below which there is no Friedman test."""

FEWEST_OF_PAIRS = 8
"""Data sets below which no pair of arms is compared by Wilcoxon's test: the least p-value there is, is too large."""


@dataclass(frozen=True)
class Friedman:
    """Whether arms differ across data sets.

    Attributes:
        mean_ranks: of the arms; 1 is best, and equal arms of a data set share the mean of their ranks.
        chi2: Friedman's statistic, corrected for ties.
        chi2_p: its p-value.
        f: that of Iman and Davenport (1980), which is less conservative; None where all data sets agree, so that it has
            no bound.
        f_p: its p-value.
        critical_difference: two arms whose mean ranks differ by more are not alike (Nemenyi 1963).
        pairs: for each two arms the p-value of Nemenyi's test, 1 of an arm with itself.
    """

    mean_ranks: tuple[float, ...]
    chi2: float
    chi2_p: float
    f: float | None
    f_p: float
    critical_difference: float
    pairs: tuple[tuple[float, ...], ...]


def friedman(values: NDArray[np.float64], *, higher_is_better: bool = True) -> Friedman:
    """Return whether arms differ across data sets.

    With N data sets, k arms and their mean ranks R::

        chi2 = 12 N / (k (k + 1)) sum((R - (k + 1) / 2)^2), without ties
        F    = (N - 1) chi2 / (N (k - 1) - chi2), with k - 1 and (k - 1) (N - 1) degrees of freedom
        CD   = q sqrt(k (k + 1) / (6 N)), q the 95 % quantile of the range of k normal numbers, by sqrt(2)

    Args:
        values: (N, k): a row for each data set; ranks alone count, and each value counts as exact.
        higher_is_better: whether the highest value has rank 1.
    """
    from scipy.special import chdtrc, fdtrc

    datasets, arms = values.shape
    found = ranks(values, higher_is_better=higher_is_better)
    means, middle = found.mean(0), (arms + 1) / 2
    spread = float(((found - middle) ** 2).sum()) / (arms - 1)  # N k (k + 1) / 12 without ties
    chi2 = float(((means - middle) ** 2).sum()) * datasets**2 / spread if spread else 0.0
    rest = datasets * (arms - 1) - chi2
    agree = rest < 1e-9
    f = None if agree else (datasets - 1) * chi2 / rest
    unit = sqrt(arms * (arms + 1) / (12 * datasets))
    gaps = np.abs(means[:, None] - means) / unit
    return Friedman(
        tuple(float(mean) for mean in means),
        chi2,
        float(chdtrc(arms - 1, chi2)),
        f,
        0.0 if f is None else float(fdtrc(arms - 1, (arms - 1) * (datasets - 1), f)),
        _range_quantile(1 - ALPHA, arms) * unit,
        tuple(tuple(1 - _range_below(gap, arms) for gap in row) for row in gaps),
    )


def _range_below(value: float, numbers: int) -> float:
    """Return how often the range of some standard normal numbers is below a value (Tukey's, of infinite freedom)."""
    from scipy.special import ndtr

    lowest, step = np.linspace(-10, 10, 401, retstep=True)
    density = np.exp(-(lowest**2) / 2) / sqrt(2 * np.pi)
    below = numbers * density * (ndtr(lowest + value) - ndtr(lowest)) ** (numbers - 1)
    return min(1.0, float(below.sum()) * float(step))


def _range_quantile(share: float, numbers: int) -> float:
    """Return the range below which a share of all ranges is, by bisection."""
    low, high = 0.0, 20.0
    while high - low > 1e-10:
        middle = (low + high) / 2
        low, high = (middle, high) if _range_below(middle, numbers) < share else (low, middle)
    return high


def can_tell_pairs(comparisons: int, datasets: int) -> bool:
    """Return whether Wilcoxon's test can tell any of some comparisons with one arm, after Holm's adjustment.

    The least two-sided p-value of N data sets is 2^(1 - N).
    """
    return datasets >= FEWEST_OF_PAIRS and comparisons * 2.0 ** (1 - datasets) < ALPHA


def wilcoxon_p(differences: NDArray[np.float64]) -> float:
    """Return the two-sided p-value of Wilcoxon's (1945) signed-rank test.

    It is exact also with ties: each difference has either sign equally often. Differences of nothing are left out.
    """
    kept = differences[differences != 0]
    if not len(kept):
        return 1.0
    doubled = np.rint(2 * ranks(np.abs(kept)[None], higher_is_better=False)[0]).astype(int)  # halves are whole numbers
    counts = np.ones(1)
    for rank in doubled:
        counts = np.convolve(counts, np.bincount([0, rank])) / 2  # chances of each sum of the positive ranks
    lower = int(min(doubled[kept > 0].sum(), doubled[kept < 0].sum()))
    return min(1.0, 2 * float(counts[: lower + 1].sum()))
