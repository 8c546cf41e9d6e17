"""Every two arms of a column against each other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from medssl_bench.statistics.verdict import Verdict, holm, verdict

if TYPE_CHECKING:
    from medssl_bench.results.intervals import Intervals
    from medssl_bench.results.tables import Panel
    from medssl_bench.statistics.interval import Estimate


@dataclass(frozen=True)
class Pair:
    """An arm against another one.

    Attributes:
        difference: the arm minus the other one.
        verdict: what is said of it; its p-value is adjusted for the number of pairs.
    """

    difference: Estimate
    verdict: Verdict


def any_two(
    panel: Panel, budget: str, intervals: Intervals, margin: float | None = None
) -> dict[tuple[str, str], Pair]:
    """Return each arm of a column that has verdicts against each arm before it; nothing of fewer than three arms.

    The pairs are one family: chance tells any of them apart in at most 5 % of columns. So a pair that includes the
    baseline may be told apart in the table, whose family is smaller, and not here. Floors are left out. Of an arm that
    has failed nothing is known, and its pairs count.

    Args:
        panel: of the first metric.
        budget: text of the label budget.
        intervals: of contrasts of its cells.
        margin: the largest difference that does not matter; None: every one matters.
    """
    column = {arm: cell for arm, cell in panel.column(budget).items() if arm not in panel.floors}
    if len(column) < 3 or not any(cell.judged.told for cell in column.values()):
        return {}
    found: dict[tuple[str, str], Estimate] = {}
    lost = 0
    for other, arm in combinations(column, 2):
        difference = intervals.of([(1, column[arm]), (-1, column[other])])
        if isinstance(difference, str):
            lost += 1
        else:
            found[arm, other] = difference
    adjusted = holm([*(each.p for each in found.values()), *[1.0] * lost])
    higher = panel.higher_is_better
    return {
        pair: Pair(each, verdict(each, p, higher_is_better=higher, margin=margin))
        for (pair, each), p in zip(found.items(), adjusted, strict=False)
    }
