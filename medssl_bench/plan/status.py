"""What of a plan is finished, what will run, why, and how long it is expected to take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from medssl_bench.plan.estimates import Estimates
from medssl_bench.plan.keys import differences

if TYPE_CHECKING:
    from medssl_bench.plan.estimates import Basis
    from medssl_bench.plan.stage import Plan, Stage
    from medssl_bench.store.record import Record
    from medssl_bench.store.store import Store

Status = Literal["done", "to run", "failed", "blocked", "pending", "not needed"]


@dataclass(frozen=True)
class StageStatus:
    """A stage and where it stands.

    Attributes:
        stage: the stage.
        status: ``done``; ``to run``; ``failed`` at the last attempt, runs only with ``--retry-failed``; ``blocked`` by
            one that has failed; ``pending``, its data has not been seen, will run; ``not needed``, since everything
            that would build on it is done.
        why: what differs from an older result of the same purpose, what is wrong with its own, or why it failed.
        seconds: expected duration of a stage that is not done; None where the data has not been seen.
        basis: what that rests on: ``measured``, ``calibrated`` or ``rough``; None where there is no estimate.
    """

    stage: Stage
    status: Status
    why: str = ""
    seconds: float | None = None
    basis: Basis | None = None

    @property
    def runs(self) -> bool:
        """Whether a run would do it."""
        return self.status in {"to run", "pending"}

    @property
    def is_wanted(self) -> bool:
        """Whether it should be done, and is not."""
        return self.status not in {"done", "not needed"}


def look(plan: Plan, store: Store, estimates: Estimates | None = None) -> list[StageStatus]:
    """Return where each stage of a plan stands, in the plan's order.

    Args:
        plan: what is asked for.
        store: what there is.
        estimates: estimates how long missing stages take; None: from the store's records alone.
    """
    needed = _needed(plan, store)
    records = list(store.records()) if needed else []
    estimates = estimates or Estimates(records)
    by_time = sorted(records, key=lambda record: str(record.provenance.get("time", "")))  # ISO 8601, in UTC
    older = {record.title: record for record in by_time if record.key not in plan.stages}  # the newest of each title
    found: dict[str, StageStatus] = {}
    for stage in plan.stages.values():  # parents first
        status = _status(stage, store, needed=stage.key in needed, older=older, estimates=estimates)
        if status.runs and any(found[parent].status in {"failed", "blocked"} for parent in stage.parents):
            status = replace(status, status="blocked", why="")
        found[stage.key] = status
    return list(found.values())


def _needed(plan: Plan, store: Store) -> set[str]:
    """Return the stages that must run so that every wanted stage is finished."""
    needed: set[str] = set()
    waiting = [key for key in plan.wanted() if not store.is_done(key)]
    while waiting:
        key = waiting.pop()
        if key not in needed:
            needed.add(key)
            waiting += [parent for parent in plan.stages[key].parents if not store.is_done(parent)]
    return needed


def _status(stage: Stage, store: Store, *, needed: bool, older: dict[str, Record], estimates: Estimates) -> StageStatus:
    if store.is_done(stage.key):
        return StageStatus(stage, "done")
    if not needed:
        return StageStatus(stage, "not needed")
    found = estimates.of(stage)
    seconds, basis = (found.seconds, found.basis) if found else (None, None)
    if stage.pending:
        return StageStatus(stage, "pending", "its data has not been seen", seconds, basis)
    failure = store.failure(stage.key)
    if failure is not None:
        return StageStatus(stage, "failed", failure.reason, seconds, basis)
    if damage := store.damage(stage.key):
        return StageStatus(stage, "to run", f"its result is damaged: {damage}", seconds, basis)
    why = _why(older[stage.title], stage) if stage.title in older else ""
    return StageStatus(stage, "to run", why, seconds, basis)


def _why(old: Record, stage: Stage) -> str:
    """Return what has changed since an older result of the same purpose."""
    found = differences(old.identity, stage.identity)
    own = [text for text in found if not text.startswith("parents")]
    shown = own or ["what it builds on has changed"]
    return "; ".join(shown[:3]) + (f"; and {len(shown) - 3} more" if len(shown) > 3 else "")
