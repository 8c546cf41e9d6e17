"""``medssl-bench site``."""

from __future__ import annotations

from pathlib import Path

import click

from medssl_bench.cli.options import data_dir_option, load_suite, store_option


@click.command("site")
@click.argument("suites", metavar="SUITE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@store_option
@data_dir_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("site"),
    show_default=True,
    help="The folder of the site.",
)
@click.option("--title", default="Results", show_default=True, help="Heading of its first page.")
@click.option("--figures/--no-figures", default=True, show_default=True, help="Draw the figures of reports.")
@click.pass_context
def command(
    context: click.Context,
    /,
    suites: tuple[Path, ...],
    store: Path,
    data_dir: Path | None,
    output: Path,
    title: str,
    figures: bool,
) -> None:
    """Write a static site of the results of one or more SUITEs. Nothing is run.

    The folder can be opened from a disk, or put on any web server. It has a page that lists the suites with what
    each says, and for each suite a leaderboard to sort and filter and a report. Each number opens the records that
    it is of, without the names of machines and folders. `store merge` puts the results of several machines into
    one store.
    """
    from medssl_bench.session.site import make_site

    loaded = [load_suite(context, suite) for suite in suites]
    index = make_site(
        loaded,
        output,
        store=store,
        data_dir=data_dir,
        title=title,
        figures=figures,
        tell=lambda text: click.echo(text, err=True),
    )
    click.echo(f"wrote {index}")
