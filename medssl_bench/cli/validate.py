"""``medssl-bench validate``."""

from __future__ import annotations

from pathlib import Path

import click

from medssl_bench.cli.options import data_dir_option, load_suite, suite_argument
from medssl_bench.errors import printable


@click.command("validate")
@suite_argument
@data_dir_option
@click.pass_context
def command(context: click.Context, suite: Path, data_dir: Path | None) -> None:
    """Check SUITE without running it: every problem with its file, line and key; exit status 2 if there is one.

    It builds each encoder, without weights, and tries it on images of the size of the data. It reads files of features.
    It downloads nothing. For each data set it prints how it was read, the images of each class and split, and images
    that splits share.
    """
    from medssl_bench.cli.validated_data import described
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.plan.build import build_plan
    from medssl_bench.plan.retests_told import retests_told
    from medssl_bench.plan.trained_before import seen_before
    from medssl_bench.session.brought_check import check_brought
    from medssl_bench.session.encoder_check import fitting_encoders

    loaded = load_suite(context, suite)
    loaded.require_files()
    data = dataset_context(data_dir)
    plan = build_plan(loaded, data)
    encoders = fitting_encoders(loaded, plan.stages.values(), fetch=False)
    check_brought(loaded, plan.stages.values(), data)
    lines = described(loaded, data)
    click.echo(f"{suite}: valid; {len(loaded.tables)} comparison(s), {len(plan.trials)} trials")
    for line in retests_told(plan):
        click.echo(printable(line))
    for seen in seen_before(plan):
        click.echo(printable(f"warning: {seen.comparison}: {seen}"))
    told = set()
    for encoder in encoders:
        click.echo(printable(str(encoder)))
        for note in encoder.notes:
            if (encoder.name, note) not in told:  # of each size of images it is the same
                told.add((encoder.name, note))
                click.echo(printable(f"note: encoder {encoder.name}: {note}"))
    for line in lines:
        click.echo(printable(line))
