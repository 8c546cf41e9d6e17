"""Runs one stage: its files are made in a folder of their own and moved into the store when all is done."""

from __future__ import annotations

import math
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from medssl_bench.errors import OUT_OF_MEMORY, DamagedError, LeaseLost, NotReadable, StageError, UserError, printable
from medssl_bench.plan.stage import Stage
from medssl_bench.plugin.watching import Outcome
from medssl_bench.stages.attempt import Attempt, Meter, Report
from medssl_bench.stages.provenance import circumstances, provenance
from medssl_bench.stages.records import record_of
from medssl_bench.stages.workshop import StageResult, Workshop
from medssl_bench.stopping import Stopped, is_stop, seconds_since_raised, stop_if_asked, uninterrupted
from medssl_bench.store.checkpoints import StoredCheckpoints
from medssl_bench.store.leases import Lease
from medssl_bench.training.device import is_out_of_memory

_MOST_DEATHS = 20
"""How many workers in a row may die on a stage, none of which got further, before it counts as failed."""


def run_stage(
    stage: Stage, workshop: Workshop, report: Report, begins: Callable[[], None] = lambda: None
) -> Outcome | None:
    """Run one stage whose parents are finished, and record how it ended; only an interrupt gets out of here.

    A stage that has been finished meanwhile, or has failed, is not run again. A failure that cannot be recorded, on a
    full disk for one, is in the outcome nevertheless. Not recorded are those that a second try may not have: of a
    damaged result, as that can be computed again, of one that this user may not read, and of too little memory beside
    others. Nothing fails once a stop has been asked for: what is raised then is taken for the stop.

    Args:
        stage: what to do.
        workshop: what to work with.
        report: called after each epoch.
        begins: called when this process begins to work on it.

    Returns:
        How it ended; None: another process works on it, or on what it judges together with it, so ask again later.
    """
    began = time.perf_counter()
    try:
        if workshop.is_judged_elsewhere(stage):
            return None
        lease: Lease | None = None
        outcome: Outcome | None = None
        try:
            with uninterrupted():
                lease = workshop.store.leases.acquire(stage.key, workshop.lease_seconds)
            if lease is None:
                return None
            outcome = ended(stage, workshop)
            if outcome is None:
                begins()
                outcome = _attempt(stage, workshop, report, lease)
        finally:
            if lease is not None:
                with uninterrupted():  # else this process would hold the stage for as long as it lives
                    is_done = outcome is not None and outcome.status != "failed"
                    lease.release(keep=not is_done and StoredCheckpoints.is_in(lease))
    except LeaseLost:
        return None
    except (OSError, UserError) as error:
        stop_if_asked()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _failed(stage, began, f"the store cannot be written: {reason}")
    return outcome


def ended(stage: Stage, workshop: Workshop) -> Outcome | None:
    """Return how a stage has ended already, in another process or an earlier run; None: it has not."""
    record = workshop.store.record(stage.key)
    if record is not None:
        return Outcome(stage.info(), "done", metrics=_headline(record.metrics), elsewhere=True, flags=record.flags)
    failure = workshop.store.failure(stage.key)
    return None if failure is None else Outcome(stage.info(), "failed", reason=failure.reason, elsewhere=True)


def _attempt(stage: Stage, workshop: Workshop, report: Report, lease: Lease) -> Outcome:
    """Do the work under a lease, and record how it ended."""
    record = record_of(stage)
    before, now = StoredCheckpoints.spent_in(lease), circumstances(workshop.device)
    earlier: list[dict[str, Any]] = before.pop("circumstances", [])
    known = [*earlier, *([] if now in earlier else [now])]
    meter = Meter(before)
    checkpoints = StoredCheckpoints(
        lease, workshop.checkpoint_seconds, lambda: {**meter.spent(), "circumstances": known}
    )
    try:
        _refuse_deadly(lease)
        result = perform(stage, workshop, Attempt(lease.files, report, checkpoints))
        if seconds_since_raised() is not None:  # other code has caught the request, and may have returned early
            stop_if_asked()
        _require_finite(result.metrics)
        cost = {
            **meter.spent(),
            "images_seen": result.images_seen,
            "images": stage.images,
            "speed_group": stage.speed_group,
            "work": stage.work,
            "peak_memory_bytes": _peak_memory(),
        }
        for name, share in result.elsewhere.items():
            cost[name] += share
        made = provenance(workshop.registry, record.spec, workshop.device, earlier) | _design(stage)
        done = replace(record, metrics=result.metrics, flags=result.flags, cost=cost, provenance=made)
        with uninterrupted():
            workshop.store.finish(done, lease)
    except LeaseLost:
        raise
    except BaseException as error:  # whatever a component raises, SystemExit too, is its stage's failure
        if is_stop(error):
            raise Stopped from error
        stop_if_asked(soon=True)
        if isinstance(error, FileNotFoundError):
            lease.beat()  # its folder has gone: it may have been taken over
        reason = _told(error)
        hungry = is_out_of_memory(error)
        if hungry:
            traceback.clear_frames(error.__traceback__)  # their variables hold what did not fit
            workshop.forget()
        if isinstance(error, DamagedError | NotReadable) or (hungry and workshop.beside_others):
            return Outcome(stage.info(), "failed", meter.wall_seconds, reason=reason)
        try:
            workshop.store.fail(replace(record, status="failed", reason=reason), traceback.format_exc(), lease)
        except OSError as unwritten:
            reason += f" (not recorded: the store cannot be written: {unwritten.strerror})"
        return Outcome(stage.info(), "failed", meter.wall_seconds, reason=reason)
    return Outcome(stage.info(), "done", meter.wall_seconds, result.headline, flags=result.flags)


def perform(stage: Stage, workshop: Workshop, attempt: Attempt) -> StageResult:
    """Do the work of a stage: leave its files in the attempt's folder, and return what was measured."""
    module, _, name = stage.spec.does.partition(":")
    does: Callable[[Stage, Workshop, Attempt], StageResult] = getattr(import_module(module), name)
    return does(stage, workshop, attempt)


def _design(stage: Stage) -> dict[str, Any]:
    """Return how many seeds and label draws the suite had, where it is known: whether some were added later."""
    of = stage.about
    return {} if of.seeds is None or of.draws is None else {"design": {"seeds": of.seeds, "draws": of.draws}}


def _require_finite(metrics: Mapping[str, Any]) -> None:
    """Raise an error if a metric is a number that is not finite."""
    for name, value in metrics.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise StageError(f"{name} is {value}; has the training diverged? Try a smaller learning rate")


def _told(error: BaseException) -> str:
    """Return why a stage failed, in one line."""
    reason = str(error) if isinstance(error, StageError | UserError) else f"{type(error).__name__}: {error}"
    if is_out_of_memory(error):  # a smaller batch would be another experiment, so none is tried
        reason = f"{OUT_OF_MEMORY}; set a smaller batch_size or view size in the suite, if that may be ({reason})"
    return printable(" ".join(reason.split()))


def _refuse_deadly(lease: Lease) -> None:
    """Raise an error if too many workers have died on a stage: it may be what kills them."""
    if lease.deaths >= _MOST_DEATHS:
        raise StageError(
            f"{lease.deaths} workers in a row died of it, or were killed, before they got any further; is there too "
            "little memory?"
        )


def _failed(stage: Stage, began: float, reason: str) -> Outcome:
    return Outcome(stage.info(), "failed", time.perf_counter() - began, reason=printable(" ".join(reason.split())))


def _headline(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of a record's metrics."""
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}


def _peak_memory() -> int:
    """Return the most memory that this process has held so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
