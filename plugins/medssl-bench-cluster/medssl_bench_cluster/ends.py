"""How the stages of a run have ended, as far as the store shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from medssl_bench.executors.local import blocked_by
from medssl_bench.executors.remote import record_death, tell
from medssl_bench.plugin.watching import Outcome

if TYPE_CHECKING:
    from medssl_bench.executors import Job
    from medssl_bench.plan.stage import Stage
    from medssl_bench_cluster.units import Unit


class Ends:
    """How the stages of a run have ended: watchers hear of each once, and a stage is done once the store has it.

    Args:
        job: the run.
        lag_seconds: for which a shared disk may not show a record that a worker has written.
        clock: the time, in seconds.

    Attributes:
        known: the outcomes, by key.
    """

    def __init__(self, job: Job, lag_seconds: float, clock: Callable[[], float]) -> None:
        self.known: dict[str, Outcome] = {}
        self._job, self._lag, self._clock = job, lag_seconds, clock
        self._stages = {stage.key: stage for stage in job.stages}
        self._late: dict[str, tuple[Outcome, float]] = {}
        self._failed = 0

    @property
    def are_all_known(self) -> bool:
        """Whether every stage has ended."""
        return len(self.known) == len(self._job.stages)

    def left(self, stages: Iterable[Stage]) -> list[Stage]:
        """Return which of some stages have not ended."""
        return [stage for stage in stages if stage.key not in self.known]

    def are_done(self, keys: Iterable[str]) -> bool:
        """Return whether stages are done."""
        return all(key in self.known and self.known[key].status == "done" for key in keys)

    def hear(self, outcome: Outcome, is_old: bool) -> None:
        """Note what a worker says of a stage; what is blocked is determined here.

        Args:
            outcome: that.
            is_old: whether it was said to an earlier driver: then only what the store has counts.
        """
        key = outcome.stage.key
        if key in self.known or outcome.status == "blocked":
            return
        if outcome.status == "done":
            self._late.setdefault(key, (outcome, self._clock()))
        elif not is_old or self._job.store.failure(key) is not None:
            self._tell(outcome)

    def see(self) -> None:
        """Believe what the store shows by now, and report what is blocked by a failure.

        A stage that was said to be done, and whose record cannot be seen for too long, is not.
        """
        for key, (outcome, since) in list(self._late.items()):
            if self._job.store.is_done(key):
                if key not in self.known:
                    self._tell(outcome)
                del self._late[key]
            elif self._clock() - since > self._lag:
                del self._late[key]
        failed = sum(outcome.status == "failed" for outcome in self.known.values())
        if failed != self._failed:
            self._failed = failed
            for stage in self._job.stages:
                if stage.key not in self.known and (reason := blocked_by(stage, self.known)):
                    tell(Outcome(stage.info(), "blocked", reason=reason), self._job, self.known)

    def are_late(self, unit: Unit) -> bool:
        """Return whether a stage of a unit was said to be done whose record cannot be seen yet."""
        return not unit.keys.isdisjoint(self._late)

    def settle(self, stages: Iterable[Stage]) -> None:
        """Report the stages whose end is in the store, though no event said so."""
        for stage in self.left(stages):
            if stage.key not in self.known and (outcome := self._outcome_in_store(stage)):
                self._tell(outcome)
        self.see()

    def died(self, stage: Stage, how: str) -> None:
        """Record that a worker died at a stage."""
        outcome = record_death(stage, how, self._job)
        if outcome is not None:
            tell(outcome, self._job, self.known)
        self.settle([stage])

    def cancelled(self, stages: Iterable[Stage], how: str) -> None:
        """Report that the job of some stages was cancelled by a person; another run does them."""
        for stage in stages:
            outcome = Outcome(stage.info(), "failed", reason=f"its job {how}: run again to do it")
            tell(outcome, self._job, self.known)

    def _tell(self, outcome: Outcome) -> None:
        """Tell how a stage has ended, and first how those it builds on have: their events may be lost."""
        parents = (self._stages[key] for key in self._stages[outcome.stage.key].parents if key in self._stages)
        for parent in self.left(parents):
            if found := self._outcome_in_store(parent):
                self._tell(found)
        tell(outcome, self._job, self.known)

    def _outcome_in_store(self, stage: Stage) -> Outcome | None:
        record = self._job.store.record(stage.key)
        if record is not None:
            metrics = {name: value for name, value in record.metrics.items() if isinstance(value, int | float)}
            return Outcome(stage.info(), "done", metrics=metrics, elsewhere=True, flags=record.flags)
        failure = self._job.store.failure(stage.key)
        return None if failure is None else Outcome(stage.info(), "failed", reason=failure.reason, elsewhere=True)
