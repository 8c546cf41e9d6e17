"""Judges the cells of a panel against its baseline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medssl_bench.results.judged import Judged
from medssl_bench.statistics.design import are_too_few_images, needed
from medssl_bench.statistics.verdict import ALPHA, holm, verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.results.cells import Cell
    from medssl_bench.results.intervals import Intervals
    from medssl_bench.results.tables import Panel
    from medssl_bench.statistics.interval import Estimate
    from medssl_bench.suite.table import Table


class Judging:
    """Gives intervals to the cells of a comparison, and verdicts to those of its first metric.

    The arms of a column that are compared with the baseline are a family: p-values are adjusted for their number, so
    that chance makes any of them better or worse in at most 5 % of columns. With ``holm = "table"`` those of all
    columns are one. Floors are no part of it.

    Args:
        table: the comparison.
        intervals: of contrasts of its cells.
        metric: the metric that verdicts are by; None: the comparison's first.
    """

    def __init__(self, table: Table, intervals: Intervals, metric: str | None = None) -> None:
        self._table = table
        self._intervals = intervals
        self._metric = metric or table.model.metrics[0]

    def judge(self, *panels: Panel) -> None:
        """Put what can be said into the cells of panels, all of those whose columns are adjusted for together."""
        told: list[tuple[dict[str, Cell], set[str]]] = []
        for panel in panels:
            for budget in panel.budgets:
                column = panel.column(budget)
                for arm, cell in column.items():
                    cell.judged = self._intervals_of(cell, self._baseline(column, arm))
                if panel.metric == self._metric:
                    told.append((column, panel.floors))
        together = self._table.model.holm == "table"
        for columns in [told] if together else [[each] for each in told]:
            self._tell(columns)
        for column, _ in told:
            self._compare_with_best(column)

    def _baseline(self, column: dict[str, Cell], arm: str) -> Cell | None:
        name = self._table.model.baseline
        return column.get(name) if name is not None and arm != name else None

    def _intervals_of(self, cell: Cell, baseline: Cell | None) -> Judged:
        if not cell.n:
            return Judged()
        own = self._intervals.of([(1, cell)])
        difference = self._intervals.of([(1, cell), (-1, baseline)]) if baseline and baseline.n else None
        reasons = [found for found in (own, difference) if isinstance(found, str)]
        return Judged(
            own=None if isinstance(own, str) else own,
            difference=None if isinstance(difference, str) else difference,
            why=reasons[0] if reasons else "",
        )

    def _tell(self, columns: Sequence[tuple[dict[str, Cell], set[str]]]) -> None:
        """Give verdicts to columns that are finished; of an arm that has failed nothing is known, and it counts."""
        if any(cell.is_waiting for column, _ in columns for cell in column.values()):
            return
        family = [
            cell
            for column, floors in columns
            for arm, cell in column.items()
            if arm not in floors and self._baseline(column, arm) is not None
        ]
        found = [cell.judged.difference for cell in family]
        adjusted = holm([1.0 if each is None else each.p for each in found])
        for cell, difference, p in zip(family, found, adjusted, strict=True):
            if difference is not None:
                cell.judged = replace(self._told(cell, difference, p), family=len(family))

    def _compare_with_best(self, column: dict[str, Cell]) -> None:
        """Say of each arm of a column with verdicts whether it is the best one, or not told apart from it.

        The other arms are a family, floors too: one of them may be the best. An arm that has failed is none of these.
        """
        known = {arm: cell for arm, cell in column.items() if cell.is_whole}
        if not any(cell.judged.told for cell in known.values()):
            return
        best = max(known.values(), key=lambda cell: (cell.mean or 0.0) * (1 if cell.higher_is_better else -1))
        found = {arm: self._intervals.of([(1, cell), (-1, best)]) for arm, cell in known.items() if cell is not best}
        if any(isinstance(each, str) for each in found.values()):
            return
        lost = [1.0] * (len(column) - len(known))
        adjusted = holm([*(each.p for each in found.values() if not isinstance(each, str)), *lost])
        p_values = dict(zip(found, adjusted, strict=False))
        for arm, cell in column.items():
            among = cell is best or p_values.get(arm, 0.0) >= ALPHA
            cell.judged = replace(cell.judged, among_best=among and arm in known)

    def _told(self, cell: Cell, difference: Estimate, p: float) -> Judged:
        margin = self._table.model.margin
        told = verdict(difference, p, higher_is_better=cell.higher_is_better, margin=margin)
        judged = replace(cell.judged, verdict=told)
        seeds, draws, _ = difference.shape
        if told.word != "cannot tell" or difference.fixed or max(seeds, draws) == 1:
            return judged
        if not max(abs(difference.mean), margin or 0.0):  # arms that are equal: no run tells a difference of nothing
            return judged
        design = needed(difference, margin)
        if design is None:
            return replace(judged, too_few=("images" if are_too_few_images(difference, margin) else "runs"))
        return replace(judged, needed=design)
