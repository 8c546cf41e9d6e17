"""``medssl-bench run``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.completion import names
from medssl_bench.cli.options import (
    command_line,
    data_dir_option,
    device_option,
    executor_set_option,
    load_suite,
    parse_executor,
    parse_watchers,
    selection_options,
    store_option,
    suite_argument,
    watch_set_option,
)
from medssl_bench.errors import UserError, printable

if TYPE_CHECKING:
    from rich.console import Console

    from medssl_bench.session.running import RunResult
    from medssl_bench.suite.suite import Suite


@click.command("run")
@suite_argument
@store_option
@data_dir_option
@device_option
@click.option(
    "--executor",
    default="isolated",
    envvar="MEDSSL_BENCH_EXECUTOR",
    show_default=True,
    shell_complete=names("executor"),
    help="The executor, which runs the stages: see list executors.",
)
@executor_set_option
@click.option(
    "--watch",
    "watchers",
    multiple=True,
    metavar="NAME",
    shell_complete=names("watcher"),
    help="A watcher, such as a tracker, which follows the run: see list watchers. May be given more than once.",
)
@watch_set_option
@click.option("-q", "--quiet", is_flag=True, help="Show no progress: the leaderboard at the end, and what failed.")
@click.option("-v", "--verbose", is_flag=True, help="Show a line for each epoch, on a terminal too.")
@click.option(
    "--log",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file that gets the lines of the run too, with their times; it is appended to.",
)
@click.option("--retry-failed", is_flag=True, help="Try stages again that failed in an earlier run.")
@selection_options
@click.pass_context
def command(
    context: click.Context,
    /,
    suite: Path,
    store: Path,
    data_dir: Path | None,
    device: str,
    executor: str,
    settings: tuple[str, ...],
    watchers: tuple[str, ...],
    watch_settings: tuple[str, ...],
    quiet: bool,
    verbose: bool,
    log: Path | None,
    retry_failed: bool,
    **selected: Any,
) -> int:
    """Run SUITE: compute the stages that the store does not have yet, and show the leaderboard.

    Finished stages are kept whatever happens, and trainings save checkpoints: kill it, or press Ctrl-C, and run the
    same command again to go on. Several runs can share a store, also on several machines.

    The exit status is 1 if a stage failed, and the others are still finished; 75 if it was stopped (Ctrl-C,
    SIGTERM) and the same command should be run again.
    """
    from medssl_bench.cli.console import standard_output
    from medssl_bench.session.api import run
    from medssl_bench.stopping import STATUS

    loaded = load_suite(context, suite)
    console = standard_output()
    if quiet and verbose:
        raise click.UsageError("give --quiet or --verbose, not both")
    try:
        with _shown(loaded, None if quiet else console, log, verbose=verbose):
            result = run(
                loaded,
                store=store,
                data_dir=data_dir,
                device=device,
                executor=parse_executor(executor, settings),
                retry_failed=retry_failed,
                watch=parse_watchers(watchers, watch_settings),
                progress=False,  # it is shown on the standard output, with the leaderboard
                **selected,
            )
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may be what has gone; the status says it too
            click.echo(f"\nstopped; what is done is kept in {store}: run the same command again to go on", err=True)
        return STATUS
    _show(console, result, store)
    if not quiet and not result.leaderboard.is_empty:
        report = command_line(context, "report", suite, ("store", "data_dir", *selected))
        click.secho(printable(f"figures, statistics and one page to send: {report}"), dim=True)
    return 1 if result.failed else 0


@contextmanager
def _shown(suite: Suite, console: Console | None, log: Path | None, *, verbose: bool) -> Iterator[None]:
    """Show the run of a suite on a console, and write it into a file.

    Raises:
        UserError: the file cannot be written.
    """
    from medssl_bench.progress import watcher
    from medssl_bench.progress.lines import log_lines

    register = suite.plugins.manager.register
    if console is not None:
        register(watcher(console, verbose=verbose), name="medssl-bench/run")  # no file has such a name
    if log is None:
        yield
        return
    try:
        stream = log.open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UserError(f"--log {log}: this cannot be written: {error.strerror or error}") from error
    with stream:
        register(log_lines(stream, verbose=verbose), name="medssl-bench/log")
        yield


def _show(console: Any, result: RunResult, store: Path) -> None:
    from medssl_bench.results.flags import flagged
    from medssl_bench.results.formats.console import render

    if not result.outcomes and not result.cached:
        console.print("nothing to run: every cell is left out, as its data set is too small\n", style="dim")
    elif not result.outcomes:
        console.print(f"everything is done already: {result.cached} stages in {store}\n", style="dim")
    console.print(render(result.leaderboard))
    for line in flagged([(outcome.stage.title, outcome.flags) for outcome in result.outcomes]):
        click.echo(f"note: {line}", err=True)
    for outcome in result.failed:
        click.echo(f"failed: {outcome.stage.title}: {outcome.reason}", err=True)
    blocked = sum(outcome.status == "blocked" for outcome in result.outcomes)
    if result.failed:
        click.echo(
            f"{len(result.failed)} stage(s) failed, {blocked} blocked by them; {result.leaderboard.counts.text}; "
            f"tracebacks in {store / 'failed'}; --retry-failed tries them again",
            err=True,
        )
