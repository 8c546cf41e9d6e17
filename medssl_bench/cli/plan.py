"""``medssl-bench plan``."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import (
    data_dir_option,
    device_option,
    executor_set_option,
    json_option,
    load_suite,
    selection_options,
    store_option,
    suite_argument,
)
from medssl_bench.errors import printable

if TYPE_CHECKING:
    from medssl_bench.plan.estimates import Basis, Estimates
    from medssl_bench.plan.status import StageStatus

_WORDS: dict[Basis, str] = {
    "measured": "measured here, by records of like stages",
    "calibrated": "calibrated for this machine",
    "rough": "rough",
}

_LEAST_SHARE = 0.005
"""Of the time; what rests on less is not told."""


@click.command("plan")
@suite_argument
@store_option
@data_dir_option
@device_option
@selection_options
@click.option("--executor", metavar="NAME", help="Also say how this executor would run them, such as slurm.")
@executor_set_option
@click.option("--stages", "by_stage", is_flag=True, help="Show every stage, with its key.")
@json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    suite: Path,
    store: Path,
    data_dir: Path | None,
    device: str,
    executor: str | None,
    settings: tuple[str, ...],
    *,
    by_stage: bool,
    as_json: bool,
    **selected: Any,
) -> None:
    """Show which stages of SUITE are done, which will run, why stages are stale, and how long they will take.

    A line for each arm counts its stages. A stage that several arms need is done once: it is counted at the first of
    them, and as shared at the others. --stages shows each stage, with its key and why it runs.

    Times come from this store's records of similar stages on this machine. Without records they come from the
    calibration (doctor --calibrate). Without both they are rough.
    """
    from medssl_bench.cli.plan_executor import outline
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.plan.arms import by_arm
    from medssl_bench.plan.build import build_plan
    from medssl_bench.plan.estimates import Estimates
    from medssl_bench.plan.retests_told import retests_told
    from medssl_bench.plan.status import look
    from medssl_bench.plan.trained_before import seen_before
    from medssl_bench.results.selection import SelectedBy
    from medssl_bench.session.api import make_selection
    from medssl_bench.store.store import Store

    loaded = load_suite(context, suite)
    files = dataset_context(data_dir)
    plan, opened = build_plan(loaded, files, make_selection(**selected)), Store(store)
    estimates = Estimates(opened.records(), files.cache_dir, device)
    statuses = look(plan, opened, estimates)
    selected_by = {
        table.id: SelectedBy.of(table, plan, loaded.plugins.registry).mark
        for table in loaded.tables
        if any(trial.table == table.id for trial in plan.trials)
    }
    waiting = [status.stage for status in statuses if status.runs and not status.stage.pending]
    lines = outline(loaded, opened, files, device, waiting, executor, settings) if executor else []
    if as_json:
        if estimates.problem:
            click.echo(f"warning: {estimates.problem}", err=True)
        data = _data(plan.suite, plan.epochs_scale, statuses, selected_by, list(map(asdict, seen_before(plan))))
        if executor:
            data["executor"] = {"name": executor, "outline": lines}
        click.echo(json.dumps(data, indent=1, ensure_ascii=False))
    else:
        from medssl_bench.cli.console import standard_output
        from medssl_bench.cli.plan_tables import arm_tables, stage_table

        console = standard_output()
        headings = {table.id: table.title for table in loaded.tables}
        console.print(
            stage_table(statuses) if by_stage else arm_tables(by_arm(plan, statuses), headings, console.width)
        )
        for mark, tables in _by_mark(selected_by).items():
            click.echo(f"{', '.join(tables)}: {mark}")
        for line in retests_told(plan):
            click.echo(printable(line))
        for seen in seen_before(plan):
            click.echo(printable(f"warning: {seen.comparison}: {seen}"))
        _summary(console, plan.suite, plan.epochs_scale, statuses, estimates, len(plan.trials))
        for line in lines:
            click.echo(printable(line))


def _by_mark(selected_by: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, mark in selected_by.items():
        found.setdefault(mark, []).append(table)
    return found


def _data(
    suite: str, scale: float, statuses: list[StageStatus], selected_by: dict[str, str], seen: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "suite": suite,
        "epochs_scale": scale,
        "selected_by": selected_by,
        "seen_before": seen,
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
                "estimate_basis": status.basis if status.runs else None,
            }
            for status in statuses
        ],
    }


def _summary(
    console: Any, suite: str, scale: float, statuses: list[StageStatus], estimates: Estimates, trials: int
) -> None:
    from medssl_bench.progress.words import duration

    kinds = Counter(status.stage.kind for status in statuses)
    waiting = [status for status in statuses if status.runs]
    known = [status.seconds for status in waiting if status.seconds is not None]
    expected = sum(known) + (estimates.start if known else 0)
    images = sum(status.stage.images or 0 for status in waiting if status.stage.kind in {"pretrain", "evaluate"})
    scaled = f" (SCALED: epochs x {scale:g})" if scale < 1 else ""
    done = sum(status.status == "done" for status in statuses)
    not_needed = sum(status.status == "not needed" for status in statuses)
    spared = f" {not_needed} not needed," if not_needed else ""
    first = ("pretrain", "embed", "evaluate", "analyse")
    counts = ", ".join(f"{kinds[kind]} {kind}" for kind in dict.fromkeys((*first, *kinds)) if kinds[kind])
    lines = [
        "",
        f"{suite}{scaled}: {trials} trials, {len(statuses)} stages ({counts})",
        f"{done} done,{spared} {len(waiting)} to run: {images:,} images to train on, about {duration(expected)}",
    ]
    failed, blocked = (sum(status.status == which for status in statuses) for which in ("failed", "blocked"))
    if failed:
        lines.append(f"{failed} failed, {blocked} blocked by them: run --retry-failed tries them again")
    if len(known) < len(waiting):
        lines.append(f"{len(waiting) - len(known)} stage(s) wait for data that has not been seen: no estimate")
    if known:
        lines.append(_basis(waiting))
    if estimates.problem:
        lines.append(estimates.problem)
    for line in lines:
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _basis(waiting: list[StageStatus]) -> str:
    """Return on what the time rests."""
    shares = dict.fromkeys(_WORDS, 0.0)
    for status in waiting:
        if status.basis is not None:
            shares[status.basis] += status.seconds or 0
    total = sum(shares.values())
    told = {basis: share / total for basis, share in shares.items() if total and share / total >= _LEAST_SHARE}
    words = [f"{_WORDS[b]}{f' ({share:.0%})' if len(told) > 1 else ''}" for b, share in told.items()]
    hint = ": medssl-bench doctor --calibrate measures this machine in a minute" if "rough" in told else ""
    return f"this time is {', '.join(words)}{hint}"
