"""A plan on the console: a line for each arm, or for each stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from medssl_bench.progress.words import duration
from medssl_bench.session.planned_arms import SHARED, arm_notes, arm_rows

if TYPE_CHECKING:
    from medssl_bench.plan.arms import ArmPlan
    from medssl_bench.plan.status import StageStatus

_STYLES = {
    "done": "green",
    "to run": "yellow",
    "failed": "red",
    "blocked": "red",
    "pending": "yellow",
    "not needed": "dim",
}

_LEAST_NAME = 14
"""Columns that a name of an arm has at least; a longer one is folded."""


def arm_tables(arms: Sequence[ArmPlan], headings: dict[str, str], width: int) -> Group:
    """Return a table for each comparison, with a line for each arm and one for all of them.

    Args:
        arms: the arms of all comparisons, in order.
        headings: of the comparisons, by id.
        width: columns of the console.
    """
    heads, rows = arm_rows(arms)
    if not rows:
        return Group()
    every = [row for found in rows.values() for row in found]
    widths = [max(cell_len(text) for text in column) for column in zip(heads, *every, strict=True)]
    widths[0] = max(_LEAST_NAME, min(widths[0], width - sum(widths[1:]) - 2 * len(widths[1:])))
    parts: list[RenderableType] = []
    for table, found in rows.items():
        parts += [Text()] if parts else []
        parts.append(Text(headings[table], style="bold cyan"))
        parts.append(_table(heads, found, widths))
        parts += [Text(line, style="dim") for arm in arms if arm.table == table for line in arm_notes(arm)]
    if "shared" in heads:
        parts += [Text(), Text(SHARED, style="dim")]
    return Group(*parts)


def _table(heads: list[str], rows: list[list[str]], widths: list[int]) -> Table:
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for place, head in enumerate(heads):
        first = place == 0
        drawn.add_column(
            head, justify="left" if first else "right", width=widths[place], no_wrap=not first, overflow="fold"
        )
    for row in rows:
        total = row is rows[-1]
        drawn.add_row(
            *(Text(cell, style="bold" if total else _style(head, cell)) for head, cell in zip(heads, row, strict=True))
        )
    return drawn


def _style(head: str, cell: str) -> str:
    if cell == "0":
        return "dim"
    return {"to do": "yellow", "done": "green", "failed": "red", "blocked": "red", "shared": "dim"}.get(head, "")


def stage_table(statuses: Sequence[StageStatus]) -> Table:
    """Return a table with a line for each stage, and why it runs or has failed."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    columns: tuple[tuple[str, Any], ...] = (("key", "left"), ("stage", "left"), ("status", "left"), ("time", "right"))
    for column, justify in columns:
        drawn.add_column(column, justify=justify, no_wrap=column != "stage", overflow="fold")
    for status in statuses:
        title = Text(status.stage.title)
        if status.why:
            title.append(f"\n  {status.why}", style="dim")
        seconds = duration(status.seconds) if status.runs and status.seconds is not None else ""
        key = status.stage.key.removeprefix("pending-")[:12]
        drawn.add_row(key, title, Text(status.status, style=_STYLES[status.status]), seconds)
    return drawn
