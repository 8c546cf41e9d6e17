"""The leaderboard as Markdown, LaTeX, CSV and JSON text."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from medssl_bench.report.formats.text import heading, metric_name, notes, number, signed

if TYPE_CHECKING:
    from medssl_bench.report.cells import Cell
    from medssl_bench.report.leaderboard import Leaderboard
    from medssl_bench.report.tables import Panel, TableResult


def to_json(board: Leaderboard) -> str:
    """Return one JSON object per cell, as a list."""
    return json.dumps([cell.to_data() for cell in board.cells()], indent=1, ensure_ascii=False, allow_nan=False)


def to_csv(board: Leaderboard) -> str:
    """Return one line per value, with its cell, seed and draw; a cell without values has one line."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        ["comparison", "dataset", "labels", "arm", "metric", "seed", "draw", "value", "n", "mean", "std", "difference",
         "reference", "scaled"]
    )  # fmt: skip
    for cell in board.cells():
        head = [cell.comparison, cell.dataset, cell.labels, cell.arm, cell.metric]
        tail = [cell.n, cell.mean, cell.std, cell.difference, cell.reference, cell.scaled]
        values: list[tuple[object, ...]] = [(found.seed, found.draw, found.value) for found in cell.values]
        for value in values or [("", "", "")]:
            writer.writerow([*head, *value, *tail])
    return stream.getvalue()


def to_markdown(board: Leaderboard) -> str:
    """Return the tables in GitHub's Markdown."""
    lines = []
    for table in board.tables:
        lines += [f"## {_plain(heading(table))}", ""]
        for panel in table.panels:
            lines += [f"**{_plain(panel.dataset)}: {metric_name(panel)}**", "", *_markdown_panel(panel, table), ""]
        lines += [f"*{_plain(note)}*" for note in notes(table)]
        lines.append("")
    if board.ranking:
        lines += ["## overall ranking", "", "| arm | mean rank | best in | columns |", "|---|--:|--:|--:|"]
        lines += [f"| {_plain(r.arm)} | {r.mean_rank:.2f} | {r.wins} | {r.columns} |" for r in board.ranking]
    return "\n".join(lines).rstrip() + "\n"


def _markdown_panel(panel: Panel, table: TableResult) -> list[str]:
    lines = [
        "| arm | " + " | ".join(f"{_plain(budget)} labels" for budget in panel.budgets) + " |",
        "|---" + "|--:" * len(panel.budgets) + "|",
    ]
    best = {budget: panel.best(budget) for budget in panel.budgets}
    for arm in panel.arms:
        cells = [_markdown_cell(panel.cells.get((arm, b)), bold=arm in best[b]) for b in panel.budgets]
        name = f"{_plain(arm)} (baseline)" if arm == table.baseline else _plain(arm)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def _markdown_cell(cell: Cell | None, *, bold: bool) -> str:
    if cell is None:
        return ""
    text = f"**{number(cell)}**" if bold else number(cell)
    if cell.difference is not None:
        text += f"<br>{signed(cell.difference)}"
    if cell.reference is not None:
        text += f"<br>ref {cell.reference:.3f}"
    return text


def _plain(text: str) -> str:
    """Return text that Markdown does not read as marks or HTML."""
    for mark in "\\`*_|<>[]":
        text = text.replace(mark, f"\\{mark}")
    return text


def to_latex(board: Leaderboard) -> str:
    """Return the tables in LaTeX, for the packages booktabs and graphicx."""
    return "\n\n".join(_latex_panel(panel, table) for table in board.tables for panel in table.panels) + "\n"


def _latex_panel(panel: Panel, table: TableResult) -> str:
    best = {budget: panel.best(budget) for budget in panel.budgets}
    rows = []
    for arm in panel.arms:
        cells = [_latex_cell(panel.cells.get((arm, b)), bold=arm in best[b]) for b in panel.budgets]
        rows.append(f"    {_escaped(arm)} & {' & '.join(cells)} \\\\")
    heads = " & ".join(f"{_escaped(budget)} labels" for budget in panel.budgets)
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{_escaped(heading(table))}. {_escaped(panel.dataset)}: {metric_name(panel)}.}}",
            rf"  \begin{{tabular}}{{l{'r' * len(panel.budgets)}}}",
            r"    \toprule",
            rf"    arm & {heads} \\",
            r"    \midrule",
            *rows,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def _latex_cell(cell: Cell | None, *, bold: bool) -> str:
    if cell is None:
        return ""
    text = number(cell, plus_minus=r"$\pm$").replace("–", "--")
    return rf"\textbf{{{text}}}" if bold else text


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "—": "---", "–": "--", "±": r"$\pm$",
}  # fmt: skip


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
