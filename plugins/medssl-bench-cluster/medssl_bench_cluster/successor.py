"""How a job without a driver goes on: its worker submits the next one, where nodes may submit jobs."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import UserError
from medssl_bench.plugin.guarded import make
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.store.store import Store
from medssl_bench_cluster.engine import Resources, State, Unreachable
from medssl_bench_cluster.executor import ClusterExecutor
from medssl_bench_cluster.fate import MOST
from medssl_bench_cluster.followed import how_far
from medssl_bench_cluster.ledger import Handle, Ledger, Notes
from medssl_bench_cluster.submitting import submission

if TYPE_CHECKING:
    from medssl_bench_cluster.engine import Engine

_UNKNOWN = State("queued")


def succeed(notes: Notes, job: Mapping[str, Any], missing: Collection[str] = ()) -> None:
    """Submit the job of some notes again, or say in the log what is to be done.

    It is not submitted if that did not help before, if a person has cancelled it, or if no job does what it builds on.

    Args:
        notes: of the job that this process is.
        job: what it is.
        missing: keys of the stages that it must wait for: it goes on after the jobs that do them.
    """
    try:
        text = _submit(notes, job, missing)
    except (UserError, Unreachable) as error:
        text = f"it cannot be submitted from here ({error}): run the same command again to go on"
    print(text, file=sys.stderr, flush=True)  # it is the log of the job


def _submit(notes: Notes, job: Mapping[str, Any], missing: Collection[str]) -> str:
    store, before = Store(Path(job["work"]["store"])), notes.handle()
    mark = how_far(job["keys"], store)
    fruitless = before.fruitless + 1 if before and before.mark == mark else 0
    if fruitless >= MOST:
        return f"{MOST} jobs got no further: run the same command again to see why"
    engine = _engine(job)
    engine.check()
    if not notes.claim():
        return "another process follows this job, and submits it again"
    try:
        others = [other for other in Ledger(store.path).open() if other.unit != notes.unit]
        if before and engine.states([before.handle]).get(before.handle, _UNKNOWN).cause == "cancelled":
            notes.close()
            return "it was cancelled: run the same command again to go on"
        parents = [other.handle() for other in others if set(missing).intersection(other.job().get("keys", ()))]
        after = [parent.handle for parent in parents if parent]
        if missing and not after:
            notes.close()
            return "no job does what it builds on: run the same command again to go on"
        resources = Resources(**{**job["resources"], "options": tuple(job["resources"]["options"])})
        handle = engine.submit(submission(notes, resources, after))
        notes.submitted(Handle(handle, before.attempt + 1 if before else 1, fruitless, mark))
    finally:
        notes.release()
    return f"job {handle} goes on"


def _engine(job: Mapping[str, Any]) -> Engine:
    registry = load_plugins(job["work"]["block"]).registry
    executor: object = make(registry, registry.resolve_or_raise("executor", dict(job["executor"])))
    assert isinstance(executor, ClusterExecutor)
    return executor.engine
