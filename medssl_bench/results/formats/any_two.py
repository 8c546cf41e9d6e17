"""Every two arms against each other: grids for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.any_two import any_two
from medssl_bench.results.formats.judged_text import half_width
from medssl_bench.results.formats.text import signed
from medssl_bench.results.grid import Column, Grid, GridCell, GridRow
from medssl_bench.results.metric_names import metric_name
from medssl_bench.statistics.verdict import ALPHA

if TYPE_CHECKING:
    from medssl_bench.results.any_two import Pair
    from medssl_bench.results.intervals import Intervals
    from medssl_bench.results.tables import Panel, TableResult


def any_two_grids(table: TableResult, intervals: Intervals | None) -> list[Grid]:
    """Return a grid for each column of the first metric that has verdicts, and three arms or more beside the floors.

    Args:
        table: the comparison.
        intervals: of contrasts of its cells; None: there is no grid.
    """
    if intervals is None:
        return []
    metric = table.panels[0].metric
    columns = [(panel, budget) for panel in table.panels if panel.metric == metric for budget in panel.budgets]
    found = ((panel, budget, any_two(panel, budget, intervals, table.margin)) for panel, budget in columns)
    return [_grid(panel, budget, pairs) for panel, budget, pairs in found if pairs]


def _grid(panel: Panel, budget: str, pairs: dict[tuple[str, str], Pair]) -> Grid:
    arms = [arm for arm in panel.column(budget) if any(arm in pair for pair in pairs)]
    rows = tuple(GridRow((arm,), tuple(_cell(pairs.get((arm, other))) for other in arms[:-1])) for arm in arms[1:])
    note = (
        "Each number: the arm of its row minus that of its column. Words are about the arm of the row: better or worse "
        f"where p < {ALPHA:g} after Holm's adjustment for {len(pairs)} pairs of this column. The table compares arms "
        "with the baseline alone, so it may tell more, or less."
    )
    title = f"{panel.dataset}: {metric_name(panel.metric)} of any two arms, {budget} labels"
    return Grid(title, ("row minus column",), tuple(Column(arm) for arm in arms[:-1]), rows, (note,))


def _cell(pair: Pair | None) -> GridCell:
    if pair is None:
        return GridCell()
    return GridCell(signed(pair.difference.mean), spread=half_width(pair.difference), verdict=pair.verdict.text)
