"""The leaderboard in views of a run: its tables one by one, those first that are filling in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.results.formats.grids import panel_grid
from medssl_bench.results.formats.text import heading

if TYPE_CHECKING:
    from medssl_bench.results.grid import Grid
    from medssl_bench.results.leaderboard import Leaderboard
    from medssl_bench.results.tables import Panel


@dataclass(frozen=True)
class Part:
    """One table of a leaderboard: a data set of a comparison, by one metric.

    Attributes:
        heading: of the comparison, with its marks.
        grid: the numbers.
        is_complete: whether no number is to come.
    """

    heading: str
    grid: Grid
    is_complete: bool


def parts_of(board: Leaderboard) -> list[Part]:
    """Return the tables: incomplete ones first, and of those the first metric of each, in the suite's order."""
    found: list[tuple[tuple[bool, int], Part]] = []
    for table in board.tables:
        title = heading(table.title, table.marks)
        metrics = list(dict.fromkeys(panel.metric for panel in table.panels))
        for panel in table.panels:
            part = Part(title, panel_grid(panel, table.baseline), _is_complete(panel))
            found.append(((part.is_complete, metrics.index(panel.metric)), part))
    return [part for _, part in sorted(found, key=lambda item: item[0])]


def _is_complete(panel: Panel) -> bool:
    return not any(cell.is_waiting for cell in panel.cells.values())


def more_tables(hidden: list[Part]) -> str:
    """Return how many tables are not shown, and how many of them are complete; empty for none."""
    if not hidden:
        return ""
    complete = sum(part.is_complete for part in hidden)
    noun = "table" if len(hidden) == 1 else "tables"
    return f"... and {len(hidden)} more {noun}" + (f", {complete} of them complete" if complete else "")
