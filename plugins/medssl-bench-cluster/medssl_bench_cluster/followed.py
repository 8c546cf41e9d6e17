"""A unit whose job is followed: what its workers said, and where its job stands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from medssl_bench.executors.remote import Relay, bury, checkpoint_mark
from medssl_bench_cluster.engine import State
from medssl_bench_cluster.fate import Ending, Said

if TYPE_CHECKING:
    from medssl_bench.executors import Job
    from medssl_bench.plan.stage import Stage
    from medssl_bench.plugin.watching import Outcome
    from medssl_bench.store.store import Store
    from medssl_bench_cluster.ledger import Handle, Notes
    from medssl_bench_cluster.units import Unit

_FORGOTTEN = 30.0
"""Seconds for which an engine must not know a job before it counts as over, unless its worker has said so."""


class Followed:
    """A unit whose job is followed.

    Args:
        unit: its stages, as far as they are of this run.
        notes: of its job.
        job: the run.
        ended: called with the outcome of a stage, and whether it is an old one that was only read again.

    Attributes:
        state: where its job stands.
        over_since: when it was first known that there is no job, on the driver's clock; None: there is one.
        ended_before: whether its job was over when this process looked for the first time.
        again: once it is decided that the unit is submitted again, how many attempts in a row got no further.
    """

    def __init__(self, unit: Unit, notes: Notes, job: Job, ended: Callable[[Outcome, bool], None]) -> None:
        self.unit, self.notes = unit, notes
        self.handle: Handle | None = notes.handle() if notes.is_open else None
        self.state = State("queued")
        self.over_since: float | None = None
        self.ended_before = False
        self.again: int | None = None
        self._is_new_here = self.handle is not None
        self._job = replace(job, stages=unit.stages)
        self._ended = ended
        self._replays = self.handle is not None
        self._worker, self._said = "", ""
        self._relay = Relay(self._job, self._tell)
        self._why: str | None = None
        self._missed: float | None = None

    def hear(self) -> bool:
        """Pass on what the workers have said since the last time; return whether a last word is among it.

        Raises:
            UserError: one of them refuses the job.
        """
        before = self._said
        for event in self.notes.events():
            worker = str(event.pop("worker", ""))
            if worker != self._worker:
                self._worker, self._said = worker, ""
                self._relay = Relay(self._job, self._tell)
            if "stage" in event and event["stage"] not in self.unit.keys:
                continue  # another run asked for it
            if "left" in event:
                self._said = "left"
            elif "began" not in event:
                self._hear(event)
        self._replays = False
        return bool(self._said) and not before

    def _hear(self, event: dict[str, object]) -> None:
        try:
            self._relay.hear(event)
        except (KeyError, TypeError, AttributeError):  # half a line, or that of another version: the store has it
            return
        self._said = "stopped" if self._relay.was_stopped else "end" if self._relay.at is None else ""

    def _tell(self, outcome: Outcome) -> None:
        self._ended(outcome, self._replays)

    def submitted(self, handle: Handle) -> None:
        """Note that a job is on its way; what earlier workers said is over."""
        self.handle, self.state, self.over_since = handle, State("queued"), None
        self.ended_before, self._is_new_here = False, False
        self.again, self._missed, self._why = None, None, None
        self._worker, self._said = "", ""
        self._relay = Relay(self._job, self._tell)

    def stands(self, state: State | None, now: float) -> None:
        """Note what the engine says; None: it does not know the job, which is over if that stays so.

        A job that is over stays so, with what was said of it first.
        """
        if self.state.phase == "over":
            return
        if state is not None:
            self._missed = None
        elif self._missed is None:
            self._missed = now
        if state is None and self._missed is not None and (self.has_closed or now - self._missed >= _FORGOTTEN):
            state = State("over")
        if state is None:
            return
        self.ended_before, self._is_new_here = self._is_new_here and state.phase == "over", False
        self.state = state
        if state.phase == "over" and self.over_since is None:
            self.over_since = now
        if state.phase == "queued" and state.why != self._why:
            self._why = state.why
            for stage in self.unit.stages:
                self._job.watchers.tell("medssl_stage_queued", stage=stage.info(), why=state.why)

    def over_for(self, now: float) -> float:
        """Return for how many seconds there has been no job."""
        self.over_since = now if self.over_since is None else self.over_since
        return now - self.over_since

    @property
    def has_closed(self) -> bool:
        """Whether the worker has said its last word."""
        return bool(self._said)

    def ending(self) -> Ending:
        """Return how its job ended."""
        assert self.handle is not None
        said: Said = self._said  # type: ignore[assignment] # one of them
        return Ending(
            said,
            self._relay.spoke,
            self.state.cause if self.notes.is_open else "cancelled",  # by medssl-bench jobs, which has closed them
            self.state.why,
            got_further=self.mark() != self.handle.mark,
            fruitless=self.handle.fruitless,
        )

    def bury(self, left: list[Stage]) -> Stage:
        """Free what its worker held, which is dead; return the stage that it was at, as far as that is known.

        Args:
            left: the stages that have not ended.
        """
        held = bury(self._worker, [stage.key for stage in left], self._job.store) if self._worker else []
        known = {self._relay.at, *held}
        return next((stage for stage in left if stage.key in known), left[0])

    def mark(self) -> str:
        """Return how far its stages are."""
        return how_far([stage.key for stage in self.unit.stages], self._job.store)


def how_far(keys: Iterable[str], store: Store) -> str:
    """Return a text that changes whenever one of some stages ends, or saves a checkpoint."""
    parts = []
    for key in keys:
        has_ended = store.is_done(key) or store.failure(key) is not None
        parts.append("ended" if has_ended else checkpoint_mark(key, store))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
