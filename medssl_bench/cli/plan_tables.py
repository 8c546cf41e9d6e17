"""A plan on the console: a line for each arm, or for each stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.progress.words import duration

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

_MOST_REASONS = 3
"""How many reasons of one arm are shown; ``--stages`` shows all."""


def arm_tables(arms: Sequence[ArmPlan], headings: dict[str, str], width: int) -> Group:
    """Return a table for each comparison, with a line for each arm and one for all of them.

    Args:
        arms: the arms of all comparisons, in order.
        headings: of the comparisons, by id.
        width: columns of the console.
    """
    tables = {table: [arm for arm in arms if arm.table == table] for table in dict.fromkeys(arm.table for arm in arms)}
    rows = {table: [_row(arm.arm, [arm]) for arm in found] for table, found in tables.items()}
    for table, of_table in tables.items():
        rows[table].append(_row("total", of_table))
    if not arms:
        return Group()
    heads = ["arm", "results", "to do", "done", "failed", "blocked", "shared", "images", "time"]
    every = [row for found in rows.values() for row in found]
    kept = [place for place in range(len(heads)) if place not in _OPTIONAL or any(row[place] != "0" for row in every)]
    widths = [max(cell_len(text) for text in (heads[place], *(row[place] for row in every))) for place in kept]
    widths[0] = max(_LEAST_NAME, min(widths[0], width - sum(widths[1:]) - 2 * len(widths[1:])))
    parts: list[RenderableType] = []
    for table, found in rows.items():
        parts += [Text()] if parts else []
        parts.append(Text(headings[table], style="bold cyan"))
        parts.append(
            _table([heads[place] for place in kept], [[row[place] for place in kept] for row in found], widths)
        )
        parts += [Text(line, style="dim") for arm in tables[table] for line in (*_tuning(arm), *_reasons(arm))]
    if any(arm.shared for arm in arms):
        parts += [Text(), Text("shared: stages that an arm above needs too; they are counted there", style="dim")]
    return Group(*parts)


_OPTIONAL = {4, 5, 6}
"""Columns that are left out where all of them are 0."""


def _row(name: str, arms: Sequence[ArmPlan]) -> list[str]:
    runs = [status for arm in arms for status in arm.runs]
    images = sum(status.stage.images or 0 for status in runs if status.stage.kind in {"pretrain", "evaluate"})
    known = [status.seconds for status in runs if status.seconds is not None]
    time = " + ".join([*([duration(sum(known))] if known else []), *(["?"] if len(known) < len(runs) else [])])
    counts = (
        sum(arm.results for arm in arms),
        len(runs),
        sum(arm.count("done") for arm in arms),
        sum(arm.count("failed") for arm in arms),
        sum(arm.count("blocked") for arm in arms),
        sum(arm.shared for arm in arms) if len(arms) == 1 else 0,
        images,
    )
    return [name, *(f"{count:,}" for count in counts), time]


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


def _tuning(arm: ArmPlan) -> list[str]:
    """Return how many candidates each result of an arm has, where it is tuned."""
    own = [status.stage for status in arm.stages if f" · {arm.arm} · " in status.stage.title]
    specs = [stage.spec for stage in own if isinstance(stage.spec, EvaluateSpec)]
    counts = {len(spec.evaluator.candidates()): list(spec.evaluator.tune) for spec in specs if spec.evaluator.tune}
    return [
        f"{arm.arm!r}: each result is the best of {count} candidates by validation labels ({', '.join(names)})"
        for count, names in counts.items()
    ]


def _reasons(arm: ArmPlan) -> list[str]:
    """Return why stages of an arm have failed, or are done again, each reason once."""
    counted: dict[tuple[str, str], int] = {}
    for status in arm.stages:
        if status.why and status.status != "pending":
            place = ("failed" if status.status == "failed" else "to do", status.why)
            counted[place] = counted.get(place, 0) + 1
    lines = [f"{arm.arm!r}: {count} {what}: {why}" for (what, why), count in counted.items()]
    more = len(lines) - _MOST_REASONS
    return lines if more <= 0 else [*lines[:_MOST_REASONS], f"{arm.arm!r}: ... and {more} more; see --stages"]


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
