"""Tables in LaTeX, for the package booktabs."""

from __future__ import annotations

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
    from collections.abc import Iterable, Sequence

    from medssl_bench.results.grid import Grid, GridCell, GridRow
    from medssl_bench.results.leaderboard import Leaderboard
    from medssl_bench.results.printed import PrintedTable

PREAMBLE = "% \\usepackage{booktabs}"


def to_latex(board: Leaderboard) -> str:
    """Return the tables of a leaderboard, one float for each comparison."""
    parts = []
    for table in board.tables:
        grids = [panel_grid(panel, table.baseline) for panel in table.panels]
        analyses = analyses_grid(table)
        title = heading(table.title, table.marks)
        parts.append(_float([*grids, *([analyses] if analyses else [])], title, notes(table)))
        parts += [_float([grid], "", []) for grid in retest_grids(board, table)]
    parts += [_float([ranking_grid(ranking)], "", []) for ranking in board.rankings]
    parts += [_float([grid], "", []) for grid in price_grids(board)]
    return "\n\n".join([PREAMBLE, *parts]) + "\n"


def printed_to_latex(tables: Iterable[PrintedTable]) -> str:
    """Return tables in their published shape, one float for each."""
    parts = [_float(printed_grids(table), printed_heading(table), printed_notes(table)) for table in tables]
    return "\n\n".join([PREAMBLE, *parts]) + "\n"


def _float(grids: list[Grid], title: str, notes: list[str]) -> str:
    """Return a float; a caption cannot hold what stands under each part, so parts have their titles above them."""
    lines = [r"\begin{table}[p]", r"  \centering", r"  \small", r"  \setlength{\tabcolsep}{4pt}"]
    if title:
        lines.append(rf"  \caption{{{escaped(title)}}}")
    for grid in grids:
        lines += [rf"  \par\medskip {escaped(grid.title)}\par\smallskip", *_tabular(grid), *_notes(grid.notes)]
    return "\n".join([*lines, *_notes(notes), r"\end{table}"])


def _notes(notes: Sequence[str]) -> list[str]:
    text = r" \\ ".join(escaped(note) for note in notes)
    return [rf"  \par\medskip\parbox{{0.95\linewidth}}{{\scriptsize {text}}}"] if notes else []


def _tabular(grid: Grid) -> list[str]:
    heads = len(grid.heads)
    lines = [rf"  \begin{{tabular}}{{{'l' * heads}{'r' * len(grid.columns)}}}", r"    \toprule"]
    groups = grid.groups()
    if groups:
        spans = [rf"\multicolumn{{{count}}}{{c}}{{{escaped(name)}}}" for name, count in groups]
        lines.append(f"    {'& ' * heads}{' & '.join(spans)} \\\\")
        start = heads + 1
        for _, count in groups:
            lines.append(rf"    \cmidrule(lr){{{start}-{start + count - 1}}}")
            start += count
    names = [escaped(name) for name in (*grid.heads, *(column.name for column in grid.columns))]
    lines += [f"    {' & '.join(names)} \\\\", r"    \midrule"]
    for row in grid.rows:
        lines += _rows(row)
    return [*lines, r"    \bottomrule", r"  \end{tabular}"]


def _rows(row: GridRow) -> list[str]:
    """Return a row's lines: the numbers, and below them in small print what belongs to them."""
    lines = [r"    \midrule"] if row.ruled else []
    heads = " & ".join(escaped(head) for head in row.heads)
    blank = " & " * (len(row.heads) - 1)
    lines.append(f"    {heads} & {' & '.join(_value(cell) for cell in row.cells)} \\\\")
    for part in ("spread", "missing", "verdict", "difference", "reference", "gap"):
        texts = [str(getattr(cell, part)) for cell in row.cells]
        if any(texts):
            prefix = {"difference": "diff. ", "reference": "ref ", "gap": ""}.get(part, "")
            small = " & ".join(rf"{{\scriptsize {escaped(prefix + text)}}}" if text else "" for text in texts)
            lines.append(f"    {blank} & {small} \\\\")
    return lines


def _value(cell: GridCell) -> str:
    return rf"\textbf{{{escaped(cell.value)}}}" if cell.best else escaped(cell.value)


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "—": "---", "–": "--", "±": r"$\pm$", "−": "$-$",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "“": "``", "”": "''", "×": r"$\times$",
    "·": r"$\cdot$", "τ": r"$\tau$", "\n": " ",
}  # fmt: skip


def escaped(text: str) -> str:
    """Return text that LaTeX prints as it is; a bracket or star that begins a row would belong to the line before."""
    guard = "{}" if text.lstrip().startswith(("[", "*")) else ""
    return guard + "".join(_LATEX.get(character, character) for character in text)
