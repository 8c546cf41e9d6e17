"""Workers on one job: what is made of what they say, and of their deaths."""

from __future__ import annotations

import json
import selectors
import warnings
from typing import TYPE_CHECKING, Any

from medssl_bench.child_process import how_it_ended
from medssl_bench.errors import OUT_OF_MEMORY, LeaseLost, PlainWarning, UserError
from medssl_bench.executors.worker_process import LOOK
from medssl_bench.plugin.watching import Epoch, Outcome
from medssl_bench.stopping import stop_if_asked
from medssl_bench.store.checkpoints import StoredCheckpoints
from medssl_bench.store.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.executors.base import Job
    from medssl_bench.executors.worker_process import WorkerProcess
    from medssl_bench.plan.stage import Stage


class Crew:
    """Workers on one job, and what is made of what they say.

    Args:
        job: the stages.
        outcomes: how stages have ended that has been told of; filled.
        workers: one, or several that share the device.

    Attributes:
        without_memory: stages that ran out of memory beside others, to be done again unless another worker did it.
    """

    def __init__(self, job: Job, outcomes: dict[str, Outcome], workers: Sequence[WorkerProcess]) -> None:
        self.workers = workers
        self.without_memory: set[str] = set()
        self._job, self._outcomes, self._packed = job, outcomes, len(workers) > 1
        self._stages = {stage.key: stage for stage in job.stages}
        self._elsewhere: dict[str, Outcome] = {}

    def watch(self) -> None:
        """Pass on what the workers say until the last has ended.

        A worker that has died is not waited for any longer than it takes to read what it has said: processes that it
        has started may hold its pipe open.

        Raises:
            UserError: one of them refuses the job.
            Stopped: a stop was asked for, and whatever ran at that moment has swallowed it.
        """
        active = list(self.workers)
        with selectors.DefaultSelector() as selector:
            for worker in active:
                selector.register(worker.events, selectors.EVENT_READ, worker)
            while active:
                for key, _ in selector.select(LOOK):
                    self._hear(key.data)
                stop_if_asked()
                for worker in list(active):
                    is_dead = worker.is_dead()  # before what it has said is read to its end
                    if is_dead:
                        self._hear(worker)
                    is_through = is_dead or worker.at is None or worker.was_stopped
                    if (is_through or not worker.is_open) and worker.events in selector.get_map():
                        selector.unregister(worker.events)
                    if is_through:
                        active.remove(worker)
                        self._ended(worker)

    def bury(self, worker: WorkerProcess) -> None:
        """Fail the stage that a dead worker was at, unless it was done, or another one has taken it over.

        Raises:
            Stopped: a stop has been asked for, of which it may have died.
        """
        stop_if_asked(soon=True)
        stage = self._stages.get(worker.at or "")
        if stage is None or stage.key in self._outcomes:
            return
        if any(other.at == stage.key and not other.is_dead() for other in self.workers):
            return
        outcome = _died(stage, how_it_ended(worker.process.returncode), self._job)
        if outcome is not None:
            tell(outcome, self._job, self._outcomes)

    def close(self) -> None:
        """Tell of what ended elsewhere, once no worker is left that may have done it."""
        for key, outcome in self._elsewhere.items():
            if key not in self._outcomes:
                tell(outcome, self._job, self._outcomes)

    def _hear(self, worker: WorkerProcess) -> None:
        for line in worker.lines():
            self._act(worker, json.loads(line))

    def _act(self, worker: WorkerProcess, event: dict[str, Any]) -> None:
        if "end" in event:
            worker.at = None
        elif "stopped" in event:
            worker.was_stopped = True
        elif "refused" in event:
            raise UserError(event["refused"])
        elif "warning" in event:
            known = {kind.__name__: kind for kind in PlainWarning.__subclasses__()}.get(event["category"])
            text = event["warning"] if known else f"{event['category']}: {event['warning']}"
            warnings.warn(text, known or UserWarning, stacklevel=2)
        else:
            worker.spoke = True
            self._pass_on(worker, event)

    def _ended(self, worker: WorkerProcess) -> None:
        """Deal at once with a worker that has died beside others: they may wait for its stage."""
        if len(self.workers) > 1 and worker.at is not None and not worker.was_asked_to_stop():
            worker.end_descendants()
            self.bury(worker)

    def _pass_on(self, worker: WorkerProcess, event: dict[str, Any]) -> None:
        """Tell watchers of an event of a stage."""
        stage = self._stages[event["stage"]].info()
        if event["hook"] == "medssl_stage_ends":
            worker.at = ""
            self._note(Outcome(stage, **event["outcome"]))
            return
        if event["hook"] == "medssl_stage_waits":
            worker.at = ""
            if any(other.at == stage.key for other in self.workers):  # for one of this crew
                return
        else:
            worker.at = stage.key
        more = {name: value for name, value in event.items() if name not in {"hook", "stage"}}
        if "epoch" in more:
            more["epoch"] = Epoch(**more["epoch"])
        self._job.watchers.tell(event["hook"], stage=stage, **more)

    def _note(self, outcome: Outcome) -> None:
        """Tell how a stage has ended, once; of what another worker may have done, it tells itself."""
        key = outcome.stage.key
        if key in self._outcomes or (self._packed and outcome.status == "blocked"):
            return  # what is blocked is found anew when this crew has ended
        if self._packed and outcome.elsewhere:
            self._elsewhere[key] = outcome
        elif self._packed and outcome.status == "failed" and outcome.reason.startswith(OUT_OF_MEMORY):
            self.without_memory.add(key)
        else:
            tell(outcome, self._job, self._outcomes)


def tell(outcome: Outcome, job: Job, outcomes: dict[str, Outcome]) -> None:
    """Note how a stage has ended, and tell the watchers."""
    outcomes[outcome.stage.key] = outcome
    job.watchers.tell("medssl_stage_ends", stage=outcome.stage, outcome=outcome)


def _died(stage: Stage, how: str, job: Job) -> Outcome | None:
    """Record that a worker has died at a stage; None: it had done it, or another process has taken it over."""
    reason = f"the worker process {how}"
    spec = {**stage.spec, "parents": list(stage.parents)}
    scale = stage.spec["epochs_scale"]
    record = Record(
        stage.key, stage.kind, stage.title, "failed", stage.identity, epochs_scale=scale, reason=reason, spec=spec
    )
    try:
        lease = job.store.leases.acquire(stage.key)
        if lease is None:
            return None
        try:
            if job.store.is_done(stage.key):
                return None
            job.store.fail(record, f"{reason}: there is no traceback\n", lease)
        finally:
            lease.release(keep=StoredCheckpoints.is_in(lease))
    except LeaseLost:
        return None
    except OSError as error:
        reason += f" (not recorded: {' '.join(str(error).split())})"
    return Outcome(stage.info(), "failed", reason=reason)
