"""Workers on one job: what is made of what they say, and of their deaths."""

from __future__ import annotations

import json
import selectors
from typing import TYPE_CHECKING

from medssl_bench.child_process import how_it_ended
from medssl_bench.errors import OUT_OF_MEMORY
from medssl_bench.executors.remote import Relay, record_death, tell
from medssl_bench.executors.worker_process import LOOK
from medssl_bench.stopping import stop_if_asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.executors.base import Job
    from medssl_bench.executors.worker_process import WorkerProcess
    from medssl_bench.plugin.watching import Outcome


class Crew:
    """Workers on one job, and what is made of what they say.

    Args:
        job: the stages.
        outcomes: outcomes reported so far; filled.
        workers: one, or several.

    Attributes:
        without_memory: stages that ran out of memory beside others, to be done again unless another worker did it.
    """

    def __init__(self, job: Job, outcomes: dict[str, Outcome], workers: Sequence[WorkerProcess]) -> None:
        self.workers = workers
        self.without_memory: set[str] = set()
        self._job, self._outcomes, self._packed = job, outcomes, len(workers) > 1
        self._stages = {stage.key: stage for stage in job.stages}
        self._elsewhere: dict[str, Outcome] = {}
        for worker in workers:
            worker.relay = Relay(job, self._note, self._is_at)

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
                    is_through = is_dead or worker.relay.at is None or worker.relay.was_stopped
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
        stage = self._stages.get(worker.relay.at or "")
        if stage is None or stage.key in self._outcomes:
            return
        if any(other.relay.at == stage.key and not other.is_dead() for other in self.workers):
            return
        outcome = record_death(stage, how_it_ended(worker.process.returncode), self._job)
        if outcome is not None:
            tell(outcome, self._job, self._outcomes)

    def close(self) -> None:
        """Tell of what ended elsewhere, once no worker is left that may have done it."""
        for key, outcome in self._elsewhere.items():
            if key not in self._outcomes:
                tell(outcome, self._job, self._outcomes)

    def _hear(self, worker: WorkerProcess) -> None:
        for line in worker.lines():
            worker.relay.hear(json.loads(line))

    def _is_at(self, key: str) -> bool:
        return any(other.relay.at == key for other in self.workers)

    def _ended(self, worker: WorkerProcess) -> None:
        """Deal at once with a worker that has died beside others: they may wait for its stage."""
        if len(self.workers) > 1 and worker.relay.at is not None and not worker.was_asked_to_stop():
            worker.end_descendants()
            self.bury(worker)

    def _note(self, outcome: Outcome) -> None:
        """Report each outcome once; the worker that did the stage reports it."""
        key = outcome.stage.key
        if key in self._outcomes or (self._packed and outcome.status == "blocked"):
            return  # blocked stages are determined again when this crew has ended
        if self._packed and outcome.elsewhere:
            self._elsewhere[key] = outcome
        elif self._packed and outcome.status == "failed" and outcome.reason.startswith(OUT_OF_MEMORY):
            self.without_memory.add(key)
        else:
            tell(outcome, self._job, self._outcomes)
