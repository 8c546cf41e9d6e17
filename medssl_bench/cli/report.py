"""``medssl-bench report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import (
    data_dir_option,
    load_suite,
    selection_options,
    store_option,
    suite_argument,
    without_copies_option,
)

if TYPE_CHECKING:
    from medssl_bench.report.study import Study


@click.command("report")
@suite_argument
@store_option
@data_dir_option
@selection_options
@without_copies_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("report"),
    show_default=True,
    help="A folder, for the page, the tables and the figures as files; or NAME.html, for the page alone.",
)
@click.option("--figures/--no-figures", default=True, show_default=True, help="Draw figures; they take a while.")
@click.option(
    "--formats",
    default="png",
    show_default=True,
    metavar="LIST",
    help="What figures are written as: one or more of png, svg and pdf, as in png,svg,pdf. The page shows the SVG "
    "where it is asked for and not large, else the PNG.",
)
@click.option(
    "--checklist",
    "checklists",
    multiple=True,
    type=click.Choice(["reforms", "claim", "tripod-ai"]),
    help="Also write checklist-NAME.md, a draft for a reporting guideline. May be given more than once.",
)
@click.pass_context
def command(
    context: click.Context,
    /,
    suite: Path,
    store: Path,
    data_dir: Path | None,
    output: Path,
    figures: bool,
    formats: str,
    checklists: tuple[str, ...],
    **selected: Any,
) -> None:
    """Write a report on SUITE from what the store holds. Nothing is run.

    The report is one HTML file that opens offline: every table beside the published numbers, published claims
    with their estimates, every figure, a map of each encoder to explore, provenance and cost. In a folder there
    are also tables/ (Markdown, CSV, LaTeX) and figures/ to take into a paper: as PNG, with --formats also as SVG
    and PDF. Maps (PCA, t-SNE) are read from `embedding` analyses. Where there is none they are computed once, and
    kept in the user's cache folder, as pictures of augmentations are.

    A checklist is filled with what records tell: data, splits, settings, results with intervals, versions. All else
    says "author:". It has topics and not the guideline's items; take their numbers and texts from its paper.
    """
    from medssl_bench.session.api import make_report

    made = make_report(
        load_suite(context, suite),
        output,
        store=store,
        data_dir=data_dir,
        figures=figures,
        formats=[form.strip() for form in formats.split(",")],
        checklists=tuple(dict.fromkeys(checklists)),
        tell=_tell,
        **selected,
    )
    _summarise(made.study)
    click.echo(f"wrote {made.page}" + (f", with {made.files} files beside it" if made.files else ""))


def _tell(text: str) -> None:
    click.echo(text, err=True)


def _summarise(study: Study) -> None:
    click.echo(f"{study.suite.name}: {study.board.counts.text}")
    for text in (study.agreement.text if study.agreement else "", study.claims_summary):
        if text:
            click.echo(text)
