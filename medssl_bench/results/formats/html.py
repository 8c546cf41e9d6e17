"""The leaderboard in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from medssl_bench.markup import block, fold, line, strong, table
from medssl_bench.results.formats.answers import answers
from medssl_bench.results.formats.grids import panel_grid, ranking_grid
from medssl_bench.results.formats.text import heading, notes

if TYPE_CHECKING:
    from medssl_bench.results.grid import Grid, GridCell
    from medssl_bench.results.leaderboard import Leaderboard

_MOST = 40
"""Tables below the first one; a notebook keeps all of them in its file."""

_WORDS = {"better": "good", "worse": "bad"}


def to_html(board: Leaderboard) -> str:
    """Return a leaderboard as HTML: its first table, and the others below it to be opened."""
    if not board.tables:
        return block([line(strong(board.suite)), line("It has no table: nothing of the suite is selected.", "quiet")])
    panels = [(found, panel_grid(panel, found.baseline)) for found in board.tables for panel in found.panels]
    (first, grid), *others = panels
    parts = [
        line(strong(f"{board.suite}: {heading(first.title, first.marks)}")),
        line(board.counts.text),
        *(line(answer) for answer in answers(first)),
        grid_table(grid),
        *(line(note, "quiet") for note in notes(first)),
    ]
    more = [grid_table(each, heading(f"{found.title}: {each.title}", found.marks)) for found, each in others[:_MOST]]
    more += [part for ranking in board.rankings for part in _with_notes(ranking_grid(ranking))]
    if more:
        counted = min(len(others), _MOST) + len(board.rankings)
        parts.append(fold(f"{counted} more {'table' if counted == 1 else 'tables'}", more))
    if len(others) > _MOST:
        parts.append(line(f"... and {len(others) - _MOST} tables that make_report and to_frame() have", "quiet"))
    return block(parts)


def grid_table(grid: Grid, caption: str | Markup = "", *, compact: bool = False) -> Markup:
    """Return a grid as a table.

    Args:
        grid: the grid.
        caption: what stands above it; empty: its title.
        compact: leave out differences, verdicts and published values.
    """
    return table(
        caption or grid.title,
        [*grid.heads, *(column.name for column in grid.columns)],
        [[*row.heads, *(_written(cell, compact=compact) for cell in row.cells)] for row in grid.rows],
        names=len(grid.heads),
        groups=grid.groups(),
        styles=[" ".join(name for name in ("quiet", "ruled") if getattr(row, name)) for row in grid.rows],
    )


def _with_notes(grid: Grid) -> list[Markup]:
    return [grid_table(grid), *(line(note, "quiet") for note in grid.notes)]


def _written(cell: GridCell, *, compact: bool) -> Markup:
    number = strong(cell.number) if cell.best else Markup.escape(cell.number)
    if cell.failed:
        number = _styled("bad", cell.number)
    if compact:
        return number
    verdict = _styled(_WORDS.get(cell.verdict.partition(",")[0], "quiet"), cell.verdict) if cell.verdict else Markup()
    first = Markup(" ").join(part for part in (number, verdict) if part)
    return first + Markup().join(_styled("line", text) for text in (cell.difference, cell.published) if text)


def _styled(style: str, text: str) -> Markup:
    return Markup('<span class="{}">{}</span>').format(style, text)
