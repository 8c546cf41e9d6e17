"""Tables in GitHub's Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
    from medssl_bench.results.grid import Grid, GridCell
    from medssl_bench.results.leaderboard import Leaderboard
    from medssl_bench.results.printed import PrintedTable


def to_markdown(board: Leaderboard) -> str:
    """Return the tables of a leaderboard."""
    lines: list[str] = []
    for table in board.tables:
        lines += [f"## {plain(heading(table.title, table.marks))}", ""]
        for panel in table.panels:
            lines += _grid(panel_grid(panel, table.baseline))
        lines += [f"*{plain(note)}*\n" for note in notes(table)]
        analyses = analyses_grid(table)
        lines += _grid(analyses) if analyses else []
        for grid in retest_grids(board, table):
            lines += _grid(grid)
    for ranking in board.rankings:
        lines += _grid(ranking_grid(ranking))
    for grid in price_grids(board):
        lines += _grid(grid)
    lines.append(f"{board.counts.text}.")
    return "\n".join(lines).rstrip() + "\n"


def printed_to_markdown(tables: list[PrintedTable]) -> str:
    """Return tables in their published shape."""
    lines: list[str] = []
    for table in tables:
        lines += [f"## {plain(printed_heading(table))}", ""]
        for grid in printed_grids(table):
            lines += _grid(grid)
        lines += [f"*{plain(note)}*\n" for note in printed_notes(table)]
    return "\n".join(lines).rstrip() + "\n"


def _grid(grid: Grid) -> list[str]:
    names = [f"{column.group} {column.name}".strip() for column in grid.columns]
    lines = [
        f"**{plain(grid.title)}**",
        "",
        "| " + " | ".join(plain(name) for name in (*grid.heads, *names)) + " |",
        "|" + "---|" * len(grid.heads) + "--:|" * len(names),
    ]
    lines += [
        "| " + " | ".join((*(plain(head) for head in row.heads), *(_cell(cell) for cell in row.cells))) + " |"
        for row in grid.rows
    ]
    return [*lines, "", *(f"*{plain(note)}*\n" for note in grid.notes)]


def _cell(cell: GridCell) -> str:
    number = f"**{cell.number}**" if cell.best else cell.number
    first = f"{number} {cell.verdict}".rstrip()
    return "<br>".join(part for part in (first, cell.difference, cell.published) if part)


def plain(text: str) -> str:
    """Return text that Markdown does not read as marks or HTML."""
    for mark in "\\`*_|<>[]~$":
        text = text.replace(mark, f"\\{mark}")
    return re.sub(r"&(?=[#\w])", r"\\&", text)
