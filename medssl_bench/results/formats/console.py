"""The leaderboard on the console, drawn with rich."""

from __future__ import annotations

import io
from dataclasses import dataclass
from shutil import get_terminal_size
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from medssl_bench.results.formats.grids import (
    analyses_grid,
    panel_grid,
    printed_grids,
    printed_heading,
    printed_notes,
    ranking_grid,
)
from medssl_bench.results.formats.prices import price_grids
from medssl_bench.results.formats.retests import retest_grids
from medssl_bench.results.formats.text import heading, notes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import ConsoleOptions, RenderableType

    from medssl_bench.results.grid import Grid, GridRow
    from medssl_bench.results.leaderboard import Leaderboard
    from medssl_bench.results.printed import PrintedTable

WIDTH_OF_A_FILE = 160
"""Columns of a pipe or a log file, which has no width of its own: tables are not squeezed there."""

_WORDS = {"better": "not bold green", "worse": "not bold red"}
_SHORT = len("cannot tell")
"""A longer verdict has a line of its own, so that columns stay narrow."""

_PADDING = 2
_HEAD_WIDTH = 28
"""Longer names of arms are folded where the console is narrow."""


def render(board: Leaderboard, *, compact: bool = False) -> Group:
    """Return the leaderboard for a rich console.

    Args:
        board: what to draw.
        compact: leave out differences, references, notes, analyses, rankings and prices.
    """
    parts: list[RenderableType] = []
    for table in board.tables:
        parts.append(Text(heading(table.title, table.marks), style="bold cyan"))
        parts += [GridView(panel_grid(panel, table.baseline), compact=compact) for panel in table.panels]
        if not compact:
            parts += [Text(note, style="dim") for note in notes(table)]
            parts += [GridView(grid) for grid in retest_grids(board, table)]
        parts.append(Text())
    if not compact:
        parts += [GridView(ranking_grid(ranking)) for ranking in board.rankings]
        parts += [GridView(grid) for grid in price_grids(board)]
        parts += _analyses(board)
        parts.append(Text(board.counts.text, style="dim"))
    return Group(*parts)


def _analyses(board: Leaderboard) -> list[RenderableType]:
    """Return what analyses found, below what is asked first: the results."""
    parts: list[RenderableType] = []
    for table in board.tables:
        if analyses := analyses_grid(table):
            parts += [Text(heading(table.title, table.marks), style="bold cyan"), GridView(analyses)]
    return parts


def render_printed(tables: list[PrintedTable]) -> Group:
    """Return tables in their published shape for a rich console."""
    parts: list[RenderableType] = []
    for table in tables:
        parts.append(Text(printed_heading(table), style="bold cyan"))
        parts += [GridView(grid) for grid in printed_grids(table)]
        parts += [Text(note, style="dim") for note in printed_notes(table)]
        parts.append(Text())
    return Group(*parts)


def to_text(board: Leaderboard) -> str:
    """Return the leaderboard as plain lines, as wide as the terminal, or as a log file where there is none."""
    console = Console(file=io.StringIO(), width=get_terminal_size((WIDTH_OF_A_FILE, 24)).columns, color_system=None)
    with console.capture() as captured:
        console.print(render(board))
    return "\n".join(line.rstrip() for line in captured.get().rstrip().splitlines())


def to_svg(board: Leaderboard) -> str:
    """Return the leaderboard as a picture, in SVG."""
    console = Console(record=True, width=76, file=io.StringIO())
    console.print(render(board))
    return console.export_svg(title=f"medssl-bench: {board.suite}")


@dataclass(frozen=True)
class GridView:
    """A grid on a console: one table, or several below each other where the console is too narrow for all columns."""

    grid: Grid
    compact: bool = False

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Draw it as wide as the console allows."""
        yield Text(self.grid.title, style="bold")  # not the table's own, which is folded to the table's width
        for columns in self._parts(options.max_width):
            yield self._table(columns)
        for note in self.grid.notes:
            yield Text(note, style="dim")

    def _parts(self, width: int) -> list[list[int]]:
        """Return the columns of each table; those of one group stay together."""
        heads = sum(
            min(_HEAD_WIDTH, max(len(head), *(len(row.heads[place]) for row in self.grid.rows))) + _PADDING
            for place, head in enumerate(self.grid.heads)
        )
        parts: list[list[int]] = [[]]
        used = heads
        groups = self.grid.groups() or [("", 1)] * len(self.grid.columns)
        first = 0
        for name, count in groups:
            group = list(range(first, first + count))
            first += count
            wide = max(sum(self._width(place) for place in group), len(name) + _PADDING)
            if parts[-1] and used + wide > width:
                parts.append([])
                used = heads
            parts[-1] += group
            used += wide
        return parts

    def _width(self, column: int) -> int:
        texts = [self._text(row, column).plain for row in self.grid.rows]
        lines = [line for text in texts for line in text.split("\n")]
        head = self.grid.columns[column]
        return max(map(len, [*lines, head.name, head.group])) + _PADDING

    def _table(self, columns: list[int]) -> Table:
        drawn = Table(box=box.SIMPLE_HEAD)
        for head in self.grid.heads:  # as Text: names may hold what rich takes for markup
            drawn.add_column(Text(head), overflow="fold")
        for place in columns:
            column = self.grid.columns[place]
            name = f"{column.group}\n{column.name}" if column.group else column.name
            drawn.add_column(Text(name), justify="left" if self._is_signed(place) else "right", no_wrap=True)
        for row in self.grid.rows:
            if row.ruled:
                drawn.add_section()
            style = "dim" if row.quiet else ""
            cells = [self._text(row, place) for place in columns]
            drawn.add_row(*(Text(head, style=style) for head in row.heads), *cells)
        return drawn

    def _is_signed(self, column: int) -> bool:
        """Return whether differences stand below the numbers of a column; then digits stand below digits."""
        return not self.compact and any(row.cells[column].difference for row in self.grid.rows)

    def _text(self, row: GridRow, column: int) -> Text:
        cell = row.cells[column]
        style = "bold green" if cell.best else "red" if cell.failed else "dim" if row.quiet else ""
        text = Text((" " if self._is_signed(column) else "") + cell.number, style=style)
        if self.compact:
            return text
        if cell.verdict:
            style = _WORDS.get(cell.verdict.partition(",")[0], "not bold dim")
            text.append((" " if len(cell.verdict) <= _SHORT else "\n") + cell.verdict, style=style)
        if cell.difference:
            text.append(f"\n{cell.difference}", style="not bold dim")
        if cell.reference:  # on two lines: side by side they would widen every column
            gap = f"\n({cell.gap})" if cell.gap else ""
            text.append(f"\nref {cell.reference}{gap}", style="not bold blue")
        return text
