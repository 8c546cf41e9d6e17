"""``medssl-bench plan``."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import (
    data_dir_option,
    json_option,
    load_suite,
    selection_options,
    store_option,
    suite_argument,
)

if TYPE_CHECKING:
    from medssl_bench.plan.status import StageStatus


@click.command("plan")
@suite_argument
@store_option
@data_dir_option
@selection_options
@json_option
@click.pass_context
def command(
    context: click.Context, /, suite: Path, store: Path, data_dir: Path | None, *, as_json: bool, **selected: Any
) -> None:
    """Show what of SUITE is done, what will run, why something is stale, and how long it is expected to take."""
    from medssl_bench.api import make_selection
    from medssl_bench.folders import dataset_context
    from medssl_bench.plan.build import build_plan
    from medssl_bench.plan.status import look
    from medssl_bench.store.store import Store

    loaded = load_suite(context, suite)
    plan = build_plan(loaded, dataset_context(data_dir), make_selection(**selected))
    statuses = look(plan, Store(store))
    if as_json:
        click.echo(json.dumps(_data(plan.suite, plan.epochs_scale, statuses), indent=1, ensure_ascii=False))
    else:
        _print(plan.suite, plan.epochs_scale, statuses, trials=len(plan.trials))


def _data(suite: str, scale: float, statuses: list[StageStatus]) -> dict[str, Any]:
    return {
        "suite": suite,
        "epochs_scale": scale,
        "stages": [
            {
                "key": status.stage.key,
                "kind": status.stage.kind,
                "title": status.stage.title,
                "status": status.status,
                "why": status.why,
                "parents": list(status.stage.parents),
                "images": status.stage.images,
                "estimate": status.seconds if status.runs else 0.0,
                "estimate_is_measured": status.measured,
            }
            for status in statuses
        ],
    }


def _print(suite: str, scale: float, statuses: list[StageStatus], *, trials: int) -> None:
    from rich.table import Table
    from rich.text import Text

    from medssl_bench.cli.console import standard_output
    from medssl_bench.cli.progress import duration

    styles = {
        "done": "green",
        "to run": "yellow",
        "failed": "red",
        "blocked": "red",
        "pending": "yellow",
        "not needed": "dim",
    }
    console = standard_output()
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column, justify in (("key", "left"), ("stage", "left"), ("status", "left"), ("time", "right")):
        drawn.add_column(column, justify=justify, no_wrap=column in {"key", "status", "time"})  # type: ignore[arg-type]
    for status in statuses:
        title = Text(status.stage.title)
        if status.why:
            title.append(f"\n  {status.why}", style="dim")
        seconds = duration(status.seconds) if status.runs and status.seconds is not None else ""
        key = status.stage.key.removeprefix("pending-")[:12]
        drawn.add_row(key, title, Text(status.status, style=styles[status.status]), seconds)
    console.print(drawn)
    _summary(console, suite, scale, statuses, trials)


def _summary(console: Any, suite: str, scale: float, statuses: list[StageStatus], trials: int) -> None:
    from medssl_bench.cli.progress import duration

    kinds = Counter(status.stage.kind for status in statuses)
    waiting = [status for status in statuses if status.runs]
    known = [status.seconds for status in waiting if status.seconds is not None]
    images = sum(status.stage.images or 0 for status in waiting if status.stage.kind in {"pretrain", "evaluate"})
    scaled = f" (SCALED: epochs x {scale:g})" if scale < 1 else ""
    done = sum(status.status == "done" for status in statuses)
    counts = ", ".join(f"{kinds[kind]} {kind}" for kind in ("pretrain", "embed", "evaluate", "analyse") if kinds[kind])
    lines = [
        f"\n{suite}{scaled}: {trials} trials, {len(statuses)} stages ({counts})",
        f"{done} done, {len(waiting)} to run: {images:,} images to train on, about {duration(sum(known))}",
    ]
    failed, blocked = (sum(status.status == which for status in statuses) for which in ("failed", "blocked"))
    if failed:
        lines.append(f"{failed} failed, {blocked} blocked by them: run --retry-failed tries them again")
    if len(known) < len(waiting):
        lines.append(f"{len(waiting) - len(known)} stage(s) wait for data that has not been seen: no estimate")
    if any(not status.measured and status.stage.images for status in waiting):
        lines.append("estimates are rough until this store holds records of like stages")
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
