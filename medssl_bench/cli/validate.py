"""``medssl-bench validate``."""

from __future__ import annotations

from pathlib import Path

import click

from medssl_bench.cli.options import data_dir_option, load_suite, suite_argument


@click.command("validate")
@suite_argument
@data_dir_option
@click.pass_context
def command(context: click.Context, suite: Path, data_dir: Path | None) -> None:
    """Check SUITE without running it: every problem with its file, line and key; exit status 2 if there is one.

    Encoders are built, without numbers, and let encode images of the size of the data; nothing is downloaded.
    """
    from medssl_bench.folders import dataset_context
    from medssl_bench.plan.build import build_plan
    from medssl_bench.rehearsing import fitting_encoders

    loaded = load_suite(context, suite)
    loaded.require_files()
    plan = build_plan(loaded, dataset_context(data_dir))
    encoders = fitting_encoders(loaded, plan.stages.values(), fetch=False)
    click.echo(f"{suite}: valid; {len(loaded.tables)} comparison(s), {len(plan.trials)} trials")
    for encoder in encoders:
        click.echo(str(encoder))
        for note in encoder.notes:
            click.echo(f"note: encoder {encoder.name}: {note}")
