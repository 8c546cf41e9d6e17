"""The leaderboard on the console, drawn with rich."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from medssl_bench.report.formats.text import heading, metric_name, notes, number, signed

if TYPE_CHECKING:
    from rich.console import RenderableType

    from medssl_bench.report.leaderboard import Leaderboard
    from medssl_bench.report.ranking import Rank
    from medssl_bench.report.tables import Panel, TableResult


def render(board: Leaderboard, *, compact: bool = False) -> Group:
    """Return the leaderboard for a rich console.

    Args:
        board: what to draw.
        compact: leave out differences, references, notes, analyses and the ranking.
    """
    parts: list[RenderableType] = []
    for table in board.tables:
        parts.append(Text(heading(table), style="bold cyan"))
        parts += [_panel(panel, table, compact=compact) for panel in table.panels]
        if not compact:
            parts += [Text(note, style="dim") for note in notes(table)]
            parts += _analyses(table)
        parts.append(Text())
    if board.ranking and not compact:
        parts.append(_ranking(board.ranking))
    return Group(*parts)


def to_svg(board: Leaderboard) -> str:
    """Return the leaderboard as a picture, in SVG."""
    console = Console(record=True, width=76, file=io.StringIO())
    console.print(render(board))
    return console.export_svg(title=f"medssl-bench: {board.suite}")


def _panel(panel: Panel, table: TableResult, *, compact: bool) -> Table:
    title = Text(f"{panel.dataset}: {metric_name(panel)}", style="bold")  # names may hold what rich takes for markup
    drawn = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    drawn.add_column("arm \\ labels", overflow="fold")
    for budget in panel.budgets:
        drawn.add_column(budget, justify="right", no_wrap=True)
    best = {budget: panel.best(budget) for budget in panel.budgets}
    for arm in panel.arms:
        style = "dim" if arm in panel.floors else ""
        cells = [_cell(panel, arm, budget, bold=arm in best[budget], compact=compact) for budget in panel.budgets]
        drawn.add_row(Text(arm + (" (baseline)" if arm == table.baseline else ""), style=style), *cells)
    return drawn


def _cell(panel: Panel, arm: str, budget: str, *, bold: bool, compact: bool) -> Text:
    cell = panel.cells.get((arm, budget))
    if cell is None:
        return Text("")
    style = "bold green" if bold else "red" if cell.failed else "dim" if arm in panel.floors else ""
    text = Text(number(cell), style=style)
    if compact:
        return text
    if cell.difference is not None:
        text.append(f"\n{signed(cell.difference)}", style="not bold dim")
    if cell.reference is not None:
        text.append(f"\nref {cell.reference:.3f}", style="not bold blue")
    return text


def _analyses(table: TableResult) -> list[RenderableType]:
    metrics = list(dict.fromkeys(metric for row in table.analyses for metric in row.metrics))
    if not metrics:
        return []
    drawn = Table(box=box.SIMPLE_HEAD, title="analyses of the encoders", title_justify="left", title_style="bold")
    for column in ("data set", "arm"):
        drawn.add_column(column, overflow="fold")
    for metric in metrics:
        drawn.add_column(metric.replace("_", " "), justify="right")
    for row in table.analyses:
        arm = row.arm if row.labels is None else f"{row.arm}, {row.labels} labels"
        numbers = (number(row.metrics[metric]) if metric in row.metrics else "–" for metric in metrics)
        drawn.add_row(Text(row.dataset), Text(arm), *numbers)
    return [drawn]


def _ranking(ranking: list[Rank]) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD, title="overall ranking", title_justify="left", title_style="bold cyan")
    drawn.add_column("arm", overflow="fold")
    for column in ("mean rank", "best in", "columns"):
        drawn.add_column(column, justify="right")
    for rank in ranking:
        drawn.add_row(Text(rank.arm), f"{rank.mean_rank:.2f}", str(rank.wins), str(rank.columns))
    return drawn
