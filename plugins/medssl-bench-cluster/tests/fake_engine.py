"""An engine that goes wrong in every way that a real one may, in a time of its own: no process and no second passes.

Its jobs do what workers do, but for the work: they take leases, say what happens, and leave records in the store.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medssl_bench_cluster.engine import Cause, State, Submission, Unreachable
from medssl_bench_cluster.worker import Events

from medssl_bench.errors import LeaseLost
from medssl_bench.executors.remote import event_of
from medssl_bench.plan.stage import Stage
from medssl_bench.plan.stage_data import stage_from_data
from medssl_bench.plugin.watching import Outcome
from medssl_bench.stages.records import record_of
from medssl_bench.store.leases import Lease
from medssl_bench.store.store import Store


@dataclass
class Faults:
    """What goes wrong.

    Attributes:
        loses_events: part of the lines that never arrive.
        kills: part of the stages at which a worker is killed, the first time.
        cause: why, as the engine says.
        forgets: part of the answers in which a job is missing.
        silent: part of the questions that get no answer, and of the jobs that are not taken at once.
        late_seconds: how long what was written cannot be seen.
        fails: titles of stages that fail, by what their titles hold.
        deadly: what the titles of stages hold that kill every worker.
    """

    loses_events: float = 0.0
    kills: float = 0.0
    cause: Cause = "lost"
    forgets: float = 0.0
    silent: float = 0.0
    late_seconds: float = 0.0
    fails: str = ""
    deadly: str = ""


@dataclass
class FakeJob:
    """A job of the fake engine."""

    submission: Submission
    folder: Path
    state: State = field(default_factory=lambda: State("queued", "Resources"))
    steps: Iterator[float] | None = None
    wakes: float = 0.0
    was_asked: bool = False


class LossyEvents(Events):
    """Events of which some are lost on their way, but for the first: else a lease must run out, in real time."""

    def __init__(self, file: Path, dice: random.Random, lost: float) -> None:
        super().__init__(file)
        self._dice, self._lost = dice, lost

    def write(self, **event: Any) -> None:
        if "began" in event or self._dice.random() >= self._lost:
            super().write(**event)


class FakeEngine:
    """An engine with some slots, whose time goes on in `pause`.

    Args:
        store: what its jobs share.
        slots: how many jobs run at a time.
        faults: what goes wrong.
        stage_seconds: how long a stage takes.
        seed: of what goes wrong.
    """

    def __init__(
        self, store: Store, *, slots: int = 4, faults: Faults | None = None, stage_seconds: float = 10.0, seed: int = 0
    ) -> None:
        self.now = 1000.0
        self.jobs: list[FakeJob] = []
        self.most = 0
        self.questions = 0
        self.cancelled: list[str] = []
        self._store, self._slots = store, slots
        self._faults, self._seconds = faults or Faults(), stage_seconds
        self._dice = random.Random(seed)
        self._late: list[tuple[float, Stage, Lease]] = []
        self._killed: set[str] = set()

    # the four verbs

    def check(self) -> None:
        """It is always there."""

    def submit(self, submission: Submission) -> str:
        if self._dice.random() < self._faults.silent:
            raise Unreachable("too many jobs")
        self.jobs.append(FakeJob(submission, submission.log.parent))
        living = sum(job.state.phase != "over" for job in self.jobs[-500:])
        self.most = max(self.most, living)
        return str(len(self.jobs) - 1)

    def states(self, handles: Sequence[str]) -> Mapping[str, State]:
        self.questions += 1
        if self._dice.random() < self._faults.silent:
            raise Unreachable("no answer")
        return {h: self.jobs[int(h)].state for h in handles if self._dice.random() >= self._faults.forgets}

    def cancel(self, handles: Sequence[str], *, now: bool = False) -> None:
        for handle in handles:
            self.cancelled.append(handle)
            job = self.jobs[int(handle)]
            if job.state.phase == "queued" or now:
                job.state = State("over", "CANCELLED", cause="cancelled")
            job.was_asked = True

    # its time

    def clock(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        """Let time go on."""
        self.now += max(seconds, 1.0)
        for due, stage, lease in [item for item in self._late if item[0] <= self.now]:
            self._late.remove((due, stage, lease))
            self._finish(stage, lease)
        living = [job for job in self.jobs[-500:] if job.state.phase != "over"]
        for job in living:
            after = [self.jobs[int(handle)] for handle in job.submission.after]
            running = sum(other.state.phase == "running" for other in living)
            if job.state.phase == "queued" and running < self._slots and all(o.state.phase == "over" for o in after):
                job.state, job.steps = State("running"), self._work(job)
            while job.state.phase == "running" and job.steps is not None and job.wakes <= self.now:
                wait = next(job.steps, None)
                if wait is None:
                    break
                job.wakes = self.now + wait

    def _work(self, job: FakeJob) -> Iterator[float]:
        """Do the job, with the seconds that each step takes."""
        given = json.loads((job.folder / "job.json").read_text())["work"]
        events = LossyEvents(job.folder / "events.jsonl", self._dice, self._faults.loses_events)
        events.write(began=True)
        left = []
        for stage in map(stage_from_data, given["stages"]):
            if job.was_asked:
                events.write(stopped=True)
                job.state = State("over", "CANCELLED", cause="cancelled")
                return
            ended = yield from self._do(stage, job, events)
            if job.state.phase == "over":
                return
            if not ended:
                left.append(stage.key)
        events.write(**({"left": left} if left else {"end": True}))
        job.state = State("over", "COMPLETED")

    def _do(self, stage: Stage, job: FakeJob, events: Events) -> Iterator[float]:
        if any(not self._store.is_done(parent) for parent in stage.parents):
            yield 5.0
        if any(not self._store.is_done(parent) for parent in stage.parents):
            return False
        if self._store.is_done(stage.key) or self._store.failure(stage.key):
            return True
        lease = self._store.leases.acquire(stage.key)
        if lease is None:
            return False
        lease._ended.set()  # no thread of its own: time is not real
        events.tell("medssl_stage_begins", stage=stage.info())
        yield self._seconds
        if self._kills(stage):
            job.state = State("over", "NODE_FAIL", cause=self._faults.cause)
            return False
        if self._faults.fails and self._faults.fails in stage.title:
            self._store.fail(record_of(stage), "no traceback", lease)
            lease.release(keep=False)
            events.write(**event_of("medssl_stage_ends", {"stage": stage.info(), "outcome": _ended(stage, "failed")}))
            return True
        if self._faults.late_seconds:
            self._late.append((self.now + self._faults.late_seconds, stage, lease))
        elif not self._finish(stage, lease):
            return False
        events.write(**event_of("medssl_stage_ends", {"stage": stage.info(), "outcome": _ended(stage, "done")}))
        return True

    def _kills(self, stage: Stage) -> bool:
        if self._faults.deadly and self._faults.deadly in stage.title:
            return True
        if stage.key in self._killed or self._dice.random() >= self._faults.kills:
            return False
        self._killed.add(stage.key)
        return True

    def _finish(self, stage: Stage, lease: Lease) -> bool:
        """Leave the record, unless the lease was taken away, as the engine did not know the job for a while."""
        try:
            self._store.finish(record_of(stage), lease)
        except LeaseLost:
            return False
        lease.release(keep=False)
        return True


def _ended(stage: Stage, status: Any) -> Outcome:
    return Outcome(stage.info(), status, 1.0, reason="" if status == "done" else "it went wrong")
