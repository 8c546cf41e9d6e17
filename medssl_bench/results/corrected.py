"""The improvement of a printed table, measured on test images that did not pick its arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.statistics.picking import difference_of_picked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from medssl_bench.results.cells import Cell
    from medssl_bench.results.intervals import Intervals


def corrected_improvement(
    new: Sequence[str], old: Sequence[str], cells: Mapping[str, Cell], intervals: Intervals
) -> float | None:
    """Return the improvement of the best new arm over the best old one, on images that did not pick them.

    Args:
        new: names of the new arms.
        old: names of the old arms.
        cells: of one column, by arm.
        intervals: what reads predictions.

    Returns:
        The difference, or None where an arm is not finished or has no predictions.
    """
    values: dict[str, NDArray[np.float64]] = {}
    for arm in (*new, *old):
        found = intervals.table([(1, cells[arm])]) if arm in cells else "not there"
        if isinstance(found, str):
            return None
        values[arm] = found.values.mean((0, 1))
    if len({len(each) for each in values.values()}) > 1:
        return None
    best_new, best_old = (np.stack([values[arm] for arm in arms]) for arms in (new, old))
    return difference_of_picked(best_new, best_old, higher_is_better=cells[new[0]].higher_is_better)
