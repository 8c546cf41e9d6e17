"""What varies the differences of a table, and how often a rerun would show them: grids for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.results.formats.judged_text import half_width, needed_text
from medssl_bench.results.formats.text import signed
from medssl_bench.results.grid import Column, Grid, GridCell, GridRow
from medssl_bench.results.metric_names import metric_name
from medssl_bench.statistics.interval import Estimate
from medssl_bench.statistics.one_run import OneRun, reruns_won

if TYPE_CHECKING:
    from medssl_bench.results.cells import Cell
    from medssl_bench.results.tables import Panel, TableResult

_NOTE = (
    "Standard deviations of the difference of one run: how far another training seed, another label draw, the two "
    "together, and as many other test images move it; 0.000: nothing is seen of it, –: it was not varied. Wins of 100 "
    "reruns: how often the arm would be ahead of the baseline if both were run once more, with all of these new: an "
    "estimate, and a rough one of few seeds and draws."
)
_GROUP = "standard deviation of one run"


def components_grids(table: TableResult) -> list[Grid]:
    """Return for each data set what varies the differences to the baseline by the first metric, where there are some.

    Args:
        table: the comparison.
    """
    metric = table.panels[0].metric
    return [grid for panel in table.panels if panel.metric == metric and (grid := _grid(panel, table.baseline)).rows]


def _grid(panel: Panel, baseline: str | None) -> Grid:
    rows = tuple(
        GridRow((labels, arm), _cells(cell, difference), quiet=arm in panel.floors)
        for labels in panel.budgets
        for arm, cell in panel.column(labels).items()
        if isinstance(difference := cell.judged.difference, Estimate)
    )
    names = ("seed", "draw", "seed x draw", "test images")
    columns = (Column("difference"), *(Column(name, _GROUP) for name in names), Column("wins of 100 reruns"))
    title = f"{panel.dataset}: {metric_name(panel.metric)} minus that of “{baseline}”"
    return Grid(title, ("labels", "arm"), (*columns, Column("to tell it")), rows, (_NOTE,))


def _cells(cell: Cell, difference: Estimate) -> tuple[GridCell, ...]:
    parts = OneRun.of(difference)
    seeds, draws, _ = difference.shape
    varied = (seeds > 1, draws > 1, min(seeds, draws) > 1, True)
    shown = zip((parts.seed, parts.draw, parts.cell, parts.image), varied, strict=True)
    return (
        GridCell(signed(difference.mean), spread=half_width(difference)),
        *(GridCell(f"{part or 0.0:.3f}" if is_varied else "–") for part, is_varied in shown),
        GridCell(wins_text(reruns_won(difference, higher_is_better=cell.higher_is_better))),
        GridCell(needed_text(cell.judged)),
    )


def wins_text(share: float | None) -> str:
    """Return a share as wins of 100 reruns: ``97``, ``< 1``, ``> 99``; a dash where one training seed was run."""
    if share is None:
        return "–"
    return "< 1" if share < 0.005 else "> 99" if share > 0.995 else f"{100 * share:.0f}"
