"""``medssl-bench leaderboard``."""

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
from medssl_bench.errors import UserError, printable
from medssl_bench.results.formats.answer_json import answer_to_json

if TYPE_CHECKING:
    from medssl_bench.results.printed import PrintedTable
    from medssl_bench.session.leaderboard import Leaderboard


@click.command("leaderboard")
@suite_argument
@store_option
@data_dir_option
@selection_options
@without_copies_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "markdown", "latex", "json", "answer", "svg"]),
    default="table",
    show_default=True,
    help="json: one object per cell; csv: one line per value; answer: rankings, prices and more; svg: a picture.",
)
@click.option(
    "--printed",
    is_flag=True,
    help="Tables in the shape in which their reference was published, each number beside the published one.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file.")
@click.pass_context
def command(
    context: click.Context,
    /,
    suite: Path,
    store: Path,
    data_dir: Path | None,
    form: str,
    printed: bool,
    output: Path | None,
    **selected: Any,
) -> None:
    """Show or write the tables of SUITE from the results in the store. Nothing is run.

    Scaled-down results are never mixed with full ones. If the store has only scaled-down results, they are shown and
    marked. Use --epochs-scale to see those of one scale.
    """
    from medssl_bench.session.api import load_leaderboard

    loaded = load_suite(context, suite)
    board = load_leaderboard(loaded, store, data_dir=data_dir, **selected)
    if board.is_empty and selected["epochs_scale"] is None:
        board = _scaled(loaded, store, board, data_dir=data_dir, **selected)
    try:
        if form == "table":
            _print(board, output, printed=printed)
        else:
            _write(board, form, output, printed=printed)
    except OSError as error:
        if output is None:
            raise
        raise UserError(f"-o {output}: this cannot be written: {error.strerror}") from error
    if board.is_empty:
        what = "it holds no results of this suite" if store.exists() else "there is no such folder"
        click.echo(printable(f"note: {store}: {what}; medssl-bench run {suite} computes them"), err=True)


def _scaled(suite: Any, store: Path, board: Leaderboard, **selected: Any) -> Leaderboard:
    """Return the leaderboard at a scale for which the store holds results, or the empty one where there is none."""
    from medssl_bench.session.api import load_leaderboard, scales
    from medssl_bench.store.store import Store

    for scale in scales(Store(store)):
        found = load_leaderboard(suite, store, **{**selected, "epochs_scale": scale})
        if not found.is_empty:
            click.echo(f"note: only results with --epochs-scale {scale:g} are in {store}; they are shown", err=True)
            return found
    return board


def _print(board: Leaderboard, output: Path | None, *, printed: bool) -> None:
    from rich.console import Console

    from medssl_bench.cli.console import standard_output
    from medssl_bench.results.formats.console import render, render_printed

    drawn = render_printed(_printed(board)) if printed else render(board)
    if output is None:
        standard_output().print(drawn)
        return
    with output.open("w", encoding="utf-8") as file:
        Console(file=file, width=120).print(drawn)


def _write(board: Leaderboard, form: str, output: Path | None, *, printed: bool) -> None:
    from medssl_bench.results import records
    from medssl_bench.results.formats import console, latex, markdown

    if printed:
        of_printed = {
            "csv": records.printed_to_csv,
            "markdown": markdown.printed_to_markdown,
            "latex": latex.printed_to_latex,
            "json": records.printed_to_json,
        }
        if form not in of_printed:
            raise UserError(f"--format {form}: there is none of --printed; choose {', '.join(of_printed)}")
        text = of_printed[form](_printed(board))
    else:
        of_board = {
            "csv": records.to_csv,
            "markdown": markdown.to_markdown,
            "latex": latex.to_latex,
            "json": records.to_json,
            "answer": answer_to_json,
            "svg": console.to_svg,
        }
        text = of_board[form](board)
    if output is None:
        click.echo(text.rstrip("\n"))
    else:
        output.write_text(text.rstrip("\n") + "\n", "utf-8")


def _printed(board: Leaderboard) -> list[PrintedTable]:
    found = board.printed()
    if not found:
        raise UserError("--printed: no comparison of this suite has a reference with a published shape")
    return found
