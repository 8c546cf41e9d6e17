"""``medssl-bench run``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.completion import names
from medssl_bench.cli.options import (
    data_dir_option,
    device_option,
    executor_set_option,
    load_suite,
    parse_executor,
    selection_options,
    store_option,
    suite_argument,
)

if TYPE_CHECKING:
    from medssl_bench.session.running import RunResult


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
    from medssl_bench.progress import watcher
    from medssl_bench.session.api import run
    from medssl_bench.stopping import STATUS

    loaded = load_suite(context, suite)
    console = standard_output()
    loaded.plugins.manager.register(watcher(console), name="medssl-bench/run")  # no file has such a name
    try:
        result = run(
            loaded,
            store=store,
            data_dir=data_dir,
            device=device,
            executor=parse_executor(executor, settings),
            retry_failed=retry_failed,
            progress=False,  # it is shown on the standard output, with the leaderboard
            **selected,
        )
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may be what has gone; the status says it too
            click.echo(f"\nstopped; what is done is kept in {store}: run the same command again to go on", err=True)
        return STATUS
    _show(console, result, store)
    return 1 if result.failed else 0


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
