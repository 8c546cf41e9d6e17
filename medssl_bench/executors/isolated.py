"""The isolated executor: stages run in processes of their own, whose death fails one stage and no other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from medssl_bench.child_process import how_it_ended
from medssl_bench.errors import UserError
from medssl_bench.executors.base import Executor, Job
from medssl_bench.executors.crew import Crew
from medssl_bench.executors.local import blocked_by
from medssl_bench.executors.remote import describe, tell
from medssl_bench.executors.worker_process import worker_processes
from medssl_bench.plugin.watching import Outcome
from medssl_bench.stopping import Stopped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.plan.stage import Stage

_MOST_STARTS = 3
"""How many workers in a row may die before they have begun."""


class IsolatedExecutor(Executor):
    """Runs stages in worker processes: one after the other, or several at a time, on one device or on several.

    A worker that dies (killed for its memory, a crash in a library) fails the stage that it was at; the others, or a
    new one, go on with what is left. One that is killed while it starts or waits fails nothing. Workers share the store
    as runs do: a lease keeps a stage to one of them.

    A stage that runs out of memory beside others is done again when they have ended, alone.

    Args:
        settings: of the `LocalExecutor` in a worker.
        jobs: how many workers there are at a time. They share the cores: each has its part of the threads.
        devices: those that the workers take in turn, such as ``cuda:0``, or ``auto`` alone; empty: that of the job.

    Raises:
        UserError: there are more devices than workers.
    """

    def __init__(self, settings: Mapping[str, Any], jobs: int = 1, devices: Sequence[str] = ()) -> None:
        if len(devices) > jobs:
            raise UserError(f"devices: {len(devices)} of them, and jobs = {jobs}: write jobs = {len(devices)} or more")
        self._settings = dict(settings)
        self._jobs = jobs
        self._devices = list(devices)

    def run(self, job: Job) -> list[Outcome]:
        """Run the stages.

        Raises:
            UserError: a worker refuses the job, as where a device is not here, or dies repeatedly before it has begun.
            Stopped: a worker was asked to stop.
        """
        if self._devices and job.device != "auto":
            raise UserError(f"--device {job.device}: the executor's devices say where to compute; give one of the two")
        outcomes: dict[str, Outcome] = {}
        jobs, failed_starts = self._jobs, 0
        while waiting := _waiting(job, outcomes):
            before, number = len(outcomes), min(jobs, len(waiting))
            given = describe(job, waiting, {**self._settings, "beside_others": number > 1})
            given["devices"] = self._devices
            with worker_processes(number, given, {**os.environ, **_threads(self._jobs)}) as workers:
                crew = Crew(job, outcomes, workers)
                crew.watch()
            if any(worker.was_asked_to_stop() for worker in workers):  # and this process was not
                raise Stopped
            deaths = [worker for worker in workers if worker.relay.at is not None]
            for worker in deaths:
                crew.bury(worker)
            crew.close()
            if crew.without_memory - outcomes.keys():
                jobs = 1
            is_failed_start = deaths and len(outcomes) == before and not any(worker.relay.spoke for worker in deaths)
            failed_starts = failed_starts + 1 if is_failed_start else 0
            if failed_starts == _MOST_STARTS:
                how = how_it_ended(deaths[0].process.returncode)
                raise UserError(f"the worker process {how} before it began a stage; --executor local shows why")
        return [outcomes[stage.key] for stage in job.stages]


def _waiting(job: Job, outcomes: dict[str, Outcome]) -> list[Stage]:
    """Return the stages that have not ended, and report those that are blocked now."""
    found = []
    for stage in job.stages:
        if stage.key in outcomes:
            continue
        reason = blocked_by(stage, outcomes)
        if reason:
            tell(Outcome(stage.info(), "blocked", reason=reason), job, outcomes)
        else:
            found.append(stage)
    return found


def _threads(jobs: int) -> dict[str, str]:
    """Return the environment that gives each worker its part of the cores, unless OMP_NUM_THREADS is set."""
    if jobs == 1 or "OMP_NUM_THREADS" in os.environ:
        return {}
    # those that a scheduler or a container lets this process use, where the system says
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {"OMP_NUM_THREADS": str(max(1, cores // jobs))}
