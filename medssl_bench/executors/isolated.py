"""The isolated executor: stages run in a process of their own, whose death fails one stage and no other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import DamageWarning, LeaseLost, UserError
from medssl_bench.executors.base import Executor, Job
from medssl_bench.executors.local import blocked_by
from medssl_bench.plugin.watching import Epoch, Outcome
from medssl_bench.stopping import STATUS, Stopped
from medssl_bench.store.checkpoints import StoredCheckpoints
from medssl_bench.store.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from io import TextIOWrapper

    from medssl_bench.plan.stage import Stage


_START = "import sys; sys.path[:] = sys.argv[2:]; from medssl_bench.executors.worker import main; main()"
"""Starts a worker that finds the same packages as this process, and no others: -P keeps out what lies about here."""


class IsolatedExecutor(Executor):
    """Runs stages, one after the other, in a worker process.

    A worker that dies (killed for its memory, a crash in a library) fails the stage that it was at; a new one goes on
    with the others.

    Args:
        settings: of the `LocalExecutor` in the worker.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._settings = dict(settings)

    def run(self, job: Job) -> list[Outcome]:
        """Run the stages.

        Raises:
            UserError: the worker refuses the job, or dies before it has begun.
        """
        outcomes: dict[str, Outcome] = {}
        while waiting := _waiting(job, outcomes):
            before = len(outcomes)
            with _worker(job, waiting, self._settings) as (process, events):
                at = _watch(events, job, outcomes)
            if at is None:
                continue
            if process.returncode == STATUS:  # it was asked to stop, and this process was not
                raise Stopped
            how = _how_it_died(process.returncode)
            stage = next((stage for stage in waiting if stage.key == at), None)
            if stage is not None:
                _tell(_died(stage, how, job), job, outcomes)
            elif len(outcomes) == before:
                raise UserError(f"the worker process {how} before it began a stage; --executor local shows why")
        return list(outcomes.values())


def _waiting(job: Job, outcomes: dict[str, Outcome]) -> list[Stage]:
    """Return the stages that have not ended, and tell of those that are blocked now."""
    found = []
    for stage in job.stages:
        if stage.key in outcomes:
            continue
        reason = blocked_by(stage, outcomes)
        if reason:
            _tell(Outcome(stage.info(), "blocked", reason=reason), job, outcomes)
        else:
            found.append(stage)
    return found


def _tell(outcome: Outcome, job: Job, outcomes: dict[str, Outcome]) -> None:
    outcomes[outcome.stage.key] = outcome
    job.watchers.tell("medssl_stage_ends", stage=outcome.stage, outcome=outcome)


@contextmanager
def _worker(
    job: Job, stages: Sequence[Stage], settings: Mapping[str, Any]
) -> Iterator[tuple[subprocess.Popen[str], TextIOWrapper]]:
    """Give a worker and its events; at the end it is waited for, or stopped if it is asked for."""
    read, write = os.pipe()
    process = subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-P", "-c", _START, str(write), *sys.path],
        stdin=subprocess.PIPE,
        pass_fds=[write],
        text=True,
    )
    os.close(write)
    assert process.stdin is not None
    with os.fdopen(read, encoding="utf-8") as events, process.stdin:
        try:
            with suppress(BrokenPipeError):  # it died before it had read: there are no events then
                process.stdin.write(json.dumps(_given(job, stages, settings)) + "\n")
                process.stdin.flush()
            yield process, events
            process.wait()
        except BaseException:
            _stop(process)
            raise


def _stop(process: subprocess.Popen[str]) -> None:
    """Let a worker save a checkpoint and end; a second request to stop ends it at once."""
    process.terminate()
    try:
        process.wait()
    finally:
        process.kill()
        process.wait()


def _given(job: Job, stages: Sequence[Stage], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a worker needs to know."""
    entries = [entry for named in job.registry.entries.values() for entry in named.values()]
    inline = {str(entry.plugin.file.resolve()) for entry in entries if entry.plugin.file}
    return {
        "stages": [asdict(stage) for stage in stages],
        "inline": sorted(inline),
        "block": job.watchers.blocked(),
        "store": str(job.store.path),
        "data_dir": str(job.context.data_dir),
        "cache_dir": str(job.context.cache_dir),
        "mirror": job.context.mirror,
        "device": job.device,
        "settings": dict(settings),
    }


def _watch(events: TextIOWrapper, job: Job, outcomes: dict[str, Outcome]) -> str | None:
    """Pass on what a worker says until it ends; return the stage that it was at, or None if it has ended well.

    Raises:
        UserError: it refuses the job.
    """
    stages = {stage.key: stage for stage in job.stages}
    at = ""
    for line in events:
        try:
            event = json.loads(line)
        except ValueError:  # cut off by its death
            break
        if "end" in event:
            return None
        if "refused" in event:
            raise UserError(event["refused"])
        if "warning" in event:
            known = event["category"] == DamageWarning.__name__
            text = event["warning"] if known else f"{event['category']}: {event['warning']}"
            warnings.warn(text, DamageWarning if known else UserWarning, stacklevel=2)
            continue
        stage = stages[event["stage"]].info()
        if event["hook"] == "medssl_stage_ends":
            at = ""
            _tell(Outcome(stage, **event["outcome"]), job, outcomes)
            continue
        at = stage.key if event["hook"] != "medssl_stage_waits" else ""
        more = {name: value for name, value in event.items() if name not in {"hook", "stage"}}
        if "epoch" in more:
            more["epoch"] = Epoch(**more["epoch"])
        job.watchers.tell(event["hook"], stage=stage, **more)
    return at


def _how_it_died(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}" + (" (too little memory?)" if name == "SIGKILL" else "")


def _died(stage: Stage, how: str, job: Job) -> Outcome:
    """Record that a worker has died at a stage."""
    reason = f"the worker process {how}"
    spec = {**stage.spec, "parents": list(stage.parents)}
    scale = stage.spec["epochs_scale"]
    record = Record(
        stage.key, stage.kind, stage.title, "failed", stage.identity, epochs_scale=scale, reason=reason, spec=spec
    )
    try:
        lease = job.store.leases.acquire(stage.key)
        if lease is not None:  # else another run has taken the stage over already
            try:
                job.store.fail(record, f"{reason}: there is no traceback\n", lease)
            finally:
                lease.release(keep=StoredCheckpoints.is_in(lease))
    except (OSError, LeaseLost) as error:
        reason += f" (not recorded: {' '.join(str(error).split())})"
    return Outcome(stage.info(), "failed", reason=reason)
