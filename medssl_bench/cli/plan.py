"""``medssl-bench plan``."""

from __future__ import annotations

import json
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
    from medssl_bench.session.planned import RunPlan


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
    from medssl_bench.cli.console import standard_output
    from medssl_bench.cli.plan_executor import outline
    from medssl_bench.cli.plan_tables import arm_tables, stage_table
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.plan.build import build_plan
    from medssl_bench.plan.estimates import Estimates
    from medssl_bench.session.planned import RunPlan
    from medssl_bench.session.selected import make_selection
    from medssl_bench.store.store import Store

    loaded = load_suite(context, suite)
    files = dataset_context(data_dir)
    plan, opened = build_plan(loaded, files, make_selection(**selected)), Store(store)
    planned = RunPlan.of(loaded, plan, opened, Estimates(opened.records(), files.cache_dir, device))
    waiting = [status.stage for status in planned.waiting if not status.stage.pending]
    lines = outline(loaded, opened, files, device, waiting, executor, settings) if executor else []
    if as_json:
        if planned.problem:
            click.echo(f"warning: {planned.problem}", err=True)
        data = _data(planned)
        if executor:
            data["executor"] = {"name": executor, "outline": lines}
        click.echo(json.dumps(data, indent=1, ensure_ascii=False))
        return
    console = standard_output()
    arms = arm_tables(planned.arms, planned.headings, console.width)
    console.print(stage_table(planned.stages) if by_stage else arms)
    for line in planned.notes():
        click.echo(printable(line))
    for line in ("", *planned.summary()):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for line in lines:
        click.echo(printable(line))


def _data(planned: RunPlan) -> dict[str, Any]:
    return {
        "suite": planned.suite,
        "epochs_scale": planned.plan.epochs_scale,
        "selected_by": planned.selected_by,
        "seen_before": list(map(asdict, planned.seen)),
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
            for status in planned.stages
        ],
    }
