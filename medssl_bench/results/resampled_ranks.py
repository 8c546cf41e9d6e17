"""How mean ranks would be if other seeds, draws and test images had been drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.statistics.resampling import ranks, resampled_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from medssl_bench.results.cells import Cell
    from medssl_bench.results.intervals import Intervals


@dataclass(frozen=True)
class ResampledRanks:
    """Mean ranks of arms.

    Attributes:
        arms: names.
        means: (times, arms) mean ranks over data sets.
        left_out: kinds of chance that were not varied.
    """

    arms: tuple[str, ...]
    means: NDArray[np.float64]
    left_out: tuple[str, ...]

    def of(self, arm: str) -> tuple[float, float, float]:
        """Return the ends of the 95 % interval of an arm's mean rank, and how often none is better; ties share."""
        place = self.arms.index(arm)
        best = self.means == self.means.min(1, keepdims=True)
        low, high = np.quantile(self.means[:, place], (0.025, 0.975))
        first = (best[:, place] / best.sum(1)).mean()
        return float(low), float(high), float(first)


def resampled_ranks(datasets: Sequence[Sequence[dict[str, Cell]]], intervals: Intervals) -> ResampledRanks | None:
    """Return the mean ranks of the arms of some data sets; None where they cannot be resampled.

    Seeds, draws and test images are drawn anew within each data set, for all its columns and arms alike (a crossed
    bootstrap). Ranks are averaged over the columns of a data set first. There are none where a value by test image is
    missing, or where columns of a data set are of other seeds and draws, as comparisons of the same arms may be.

    Args:
        datasets: for each data set its columns, which have the same arms.
        intervals: where the values come from.
    """
    arms = tuple(datasets[0][0])
    left_out: set[str] = set()
    total: NDArray[np.float64] | float = 0.0
    for number, columns in enumerate(datasets):
        if len({frozenset(cell.stages) for column in columns for cell in column.values()}) > 1:
            return None
        tables = []
        for column in columns:
            found = [intervals.table([(1, column[arm])]) for arm in arms if arm in column]
            known = [table for table in found if not isinstance(table, str)]
            if len(known) < len(arms):
                return None
            left_out |= {axis for table in known for axis in table.fixed}
            tables.append([table.values for table in known])
        if len({values.shape[2] for table in tables for values in table}) > 1:
            return None
        higher = next(iter(columns[0].values())).higher_is_better
        by_column = [ranks(means, higher_is_better=higher) for means in resampled_means(tables, seed=number)]
        total = total + np.mean(by_column, 0)
    return ResampledRanks(arms, np.asarray(total) / len(datasets), tuple(sorted(left_out)))
