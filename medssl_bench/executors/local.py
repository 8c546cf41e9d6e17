"""The local executor: one stage after the other, in this process."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Literal

from medssl_bench.errors import UserError
from medssl_bench.executors.base import Executor, Job
from medssl_bench.plugin.watching import Epoch, Outcome, StageInfo
from medssl_bench.stopping import stop_if_asked
from medssl_bench.store.leases import SECONDS, owner_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.plan.stage import Stage
    from medssl_bench.stages.workshop import Workshop

LAG = 60.0
"""Seconds for which a network file system may not show what another machine has written."""

_POLL = 0.5
"""Seconds between two looks at stages that other processes work on."""


class LocalExecutor(Executor):
    """Runs stages in order in this process; what builds on a failed stage is blocked.

    Several of them, in as many processes or on as many machines, can work on one store: none does a stage that another
    one works on.

    Args:
        checkpoint_seconds: time between two checkpoints of a training; None: the first after three seconds, the others
            so far apart that they take no more than a sixtieth of the time.
        lease_seconds: how long another process may give no sign of life before its stage is taken over. A dead
            process of this machine is noticed at once.
        deterministic: on CUDA, use kernels only that give the same bits every time; they are slower. On the processor
            they do anyway.
        graphs: on CUDA, record training steps as CUDA graphs and play them back, where method and views allow it.
        beside_others: whether other processes of this run share the device, so that a want of memory is not recorded.
        when_held: whether to ``wait`` for stages that other processes work on, or to ``leave`` when nothing else is
            left to do. Who leaves also looks whether parents that are not among its stages are in the store. Stages
            that it leaves are not in its answer: it is for workers of an executor that asks the store itself.
        lag_seconds: how long one that leaves waits for such parents, which a network file system may show late.

    Raises:
        UserError: a number of seconds is not above 0.
    """

    def __init__(
        self,
        *,
        checkpoint_seconds: float | None = None,
        lease_seconds: float = SECONDS,
        deterministic: bool = False,
        graphs: bool = True,
        beside_others: bool = False,
        when_held: Literal["wait", "leave"] = "wait",
        lag_seconds: float = LAG,
    ) -> None:
        numbers = {"checkpoint_seconds": checkpoint_seconds, "lease_seconds": lease_seconds, "lag_seconds": lag_seconds}
        for name, value in numbers.items():
            if value is not None and value <= 0:
                raise UserError(f"{name} = {value:g}: give a number of seconds above 0")
        self.checkpoint_seconds = checkpoint_seconds
        self.lease_seconds = lease_seconds
        self.deterministic = deterministic
        self.graphs = graphs
        self.beside_others = beside_others
        self.leaves_after = lag_seconds if when_held == "leave" else None

    def run(self, job: Job) -> list[Outcome]:
        """Run the stages."""
        from medssl_bench.stages.workshop import Workshop
        from medssl_bench.training.device import find_device, same_bits
        from medssl_bench.training.processor import keep_freed_memory
        from medssl_bench.training.recording import recorded_by

        device = find_device(job.device)
        if device.type == "cpu":
            keep_freed_memory()
        job.store.prepare()
        workshop = Workshop(
            job.registry,
            job.store,
            job.context,
            device,
            lease_seconds=self.lease_seconds,
            checkpoint_seconds=self.checkpoint_seconds,
            stages=job.stages,
            beside_others=self.beside_others,
            remembers=True,
        )
        recording = nullcontext() if self.graphs else recorded_by(lambda _: None)
        with same_bits(device, wanted=self.deterministic), recording:
            return _run_all(job, workshop, self.leaves_after)


def _run_all(job: Job, workshop: Workshop, leaves_after: float | None) -> list[Outcome]:
    outcomes: dict[str, Outcome] = {}
    waiting, told = list(job.stages), set[str]()
    moved = time.monotonic()
    while waiting:
        before = len(waiting)
        missing = set[str]() if leaves_after is None else _missing_parents(waiting, job, outcomes)
        waiting = _pass(waiting, missing, workshop, job, outcomes)
        if len(waiting) < before:
            moved = time.monotonic()
            continue
        if leaves_after is not None and (not missing or time.monotonic() - moved > leaves_after):
            break
        _tell_of_waiting(waiting[0], job, told)
        time.sleep(_POLL)
    return [outcomes[stage.key] for stage in job.stages if stage.key in outcomes]


def _missing_parents(stages: list[Stage], job: Job, outcomes: dict[str, Outcome]) -> set[str]:
    """Return the parents of stages that are not in the store, are not to be made here, and have not failed."""
    here = {stage.key for stage in job.stages}
    missing = set()
    for key in {parent for stage in stages for parent in stage.parents} - here:
        failure = None if job.store.is_done(key) else job.store.failure(key)
        if failure is not None:
            outcomes[key] = Outcome(StageInfo(key, failure.kind, failure.title), "failed", reason=failure.reason)
        elif not job.store.is_done(key):
            missing.add(key)
    return missing


def _pass(
    stages: list[Stage], missing: set[str], workshop: Workshop, job: Job, outcomes: dict[str, Outcome]
) -> list[Stage]:
    """Run the stages that can be run, and return those that wait for other processes, or build on what is missing."""
    waiting: list[Stage] = []
    for stage in stages:
        stop_if_asked()
        reason = blocked_by(stage, outcomes)
        if reason:
            outcome: Outcome | None = Outcome(stage.info(), "blocked", reason=reason)
        else:
            outcome = None if missing & set(stage.parents) else _run(stage, workshop, job)
        if outcome is None:
            waiting.append(stage)
            missing.add(stage.key)
            continue
        outcomes[stage.key] = outcome
        job.watchers.tell("medssl_stage_ends", stage=stage.info(), outcome=outcome)
    return waiting


def blocked_by(stage: Stage, outcomes: dict[str, Outcome]) -> str:
    """Return which parent has not been finished, or an empty string."""
    for parent in stage.parents:
        outcome = outcomes.get(parent)
        if outcome is not None and outcome.status != "done":
            return outcome.reason if outcome.status == "blocked" else f"{outcome.stage.title} failed"
    return ""


def _run(stage: Stage, workshop: Workshop, job: Job) -> Outcome | None:
    """Run a stage; None: another process works on it."""
    from medssl_bench.stages.run import run_stage

    info = stage.info()

    def report(index: int, total: int, metrics: Mapping[str, float], speed: float | None) -> None:
        hook = "medssl_epoch_ends" if metrics else "medssl_epoch_begins"
        job.watchers.tell(hook, stage=info, epoch=Epoch(index, total, metrics, speed))

    return run_stage(stage, workshop, report, begins=lambda: job.watchers.tell("medssl_stage_begins", stage=info))


def _tell_of_waiting(stage: Stage, job: Job, told: set[str]) -> None:
    """Say once of each owner that its stage is waited for."""
    owner = job.store.leases.owner(stage.key)
    if owner is not None and owner not in told:
        told.add(owner)
        job.watchers.tell("medssl_stage_waits", stage=stage.info(), owner=owner_text(owner))
