"""What an executor answers is checked: a run must not end well because its executor ended early or forgot stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from medssl_bench.errors import PluginError, UserError, told
from medssl_bench.plugin.given import wrong_with_flags
from medssl_bench.plugin.watching import Outcome
from medssl_bench.stopping import Stopped, is_stop

if TYPE_CHECKING:
    from medssl_bench.executors.base import Executor, Job


def run_job(executor: Executor, job: Job, name: str) -> list[Outcome]:
    """Let an executor run a job, and return how each stage ended.

    Args:
        executor: who runs it.
        job: the stages.
        name: what suites call the executor, for messages.

    Raises:
        UserError: as raised by the executor, which can so refuse a device or a parameter.
        PluginError: it raises anything else but an interrupt, it does not say how each stage ended, or it says that
            one is done whose result is not in the store.
    """
    try:
        outcomes = executor.run(job)
    except BaseException as error:  # SystemExit too: the run would end with status 0
        if is_stop(error) and not isinstance(error, KeyboardInterrupt):
            raise Stopped from error
        if isinstance(error, KeyboardInterrupt | UserError):
            raise
        raise PluginError(f"executor {name!r}: {told(error)}") from error
    if wrong := _wrong_with(outcomes, job):
        raise PluginError(f"executor {name!r} {wrong}")
    return outcomes


def _wrong_with(outcomes: object, job: Job) -> str:
    if not isinstance(outcomes, list) or not all(isinstance(outcome, Outcome) for outcome in outcomes):
        return "does not give a list of outcomes"
    for outcome in outcomes:
        values = list(outcome.metrics.values()) if isinstance(outcome.metrics, Mapping) else [None]
        if not all(isinstance(value, int | float) for value in values) or wrong_with_flags(outcome.flags):
            return f"gives metrics that are no numbers by name, or flags that are no sentences: {outcome.stage.title}"
    ended = {outcome.stage.key: outcome for outcome in outcomes}
    silent = [stage for stage in job.stages if stage.key not in ended]
    if silent:
        return f"does not say how {len(silent)} of {len(job.stages)} stages ended; the first is {silent[0].title}"
    for stage in job.stages:
        if ended[stage.key].status == "done" and not job.store.is_done(stage.key):
            return f"says that a stage is done whose result is not in the store: {stage.title}"
    return ""
