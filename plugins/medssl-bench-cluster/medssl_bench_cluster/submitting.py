"""How a unit becomes a job."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from medssl_bench.executors.remote import describe
from medssl_bench.stopping import uninterrupted
from medssl_bench_cluster.engine import Resources, Submission, Unreachable
from medssl_bench_cluster.ledger import Handle, Notes
from medssl_bench_cluster.worker import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.executors import Job
    from medssl_bench.plan.stage import Stage
    from medssl_bench_cluster.engine import Engine
    from medssl_bench_cluster.followed import Followed
    from medssl_bench_cluster.settings import Settings


def submission(notes: Notes, resources: Resources, after: Sequence[str] = ()) -> Submission:
    """Return the process that does the job of some notes.

    Args:
        notes: opened.
        resources: what it asks for.
        after: handles of jobs that must be over first.
    """
    return Submission(
        name=f"medssl-{notes.unit}",
        command=command(notes.folder),
        log=notes.log,
        resources=resources,
        environment={"OMP_NUM_THREADS": str(resources.cpus)},
        after=tuple(after),
    )


class Submitter:
    """Submits units of a run.

    Args:
        job: the run.
        engine: what places jobs.
        settings: how they are made.
    """

    def __init__(self, job: Job, engine: Engine, settings: Settings) -> None:
        self._job, self._engine, self._settings = job, engine, settings

    def submit(self, followed: Followed, left: Sequence[Stage], fruitless: int = 0, after: Sequence[str] = ()) -> bool:
        """Submit a unit; return whether the engine took it: if not, it may later.

        Args:
            followed: the unit, claimed by this process.
            left: its stages that have not ended.
            fruitless: attempts in a row that got no further.
            after: handles of jobs that must be over first.

        Raises:
            UserError: the engine will never take it.
        """
        notes = followed.notes
        resources = self._settings.resources(followed.unit)
        before = notes.handle() if notes.is_open else None
        if before is None:
            notes.open(self._notes(followed, left, resources), sorted(followed.unit.keys | followed.unit.parents))
        mark = followed.mark()
        try:
            with uninterrupted():  # else there might be a job that is not in the ledger
                handle = self._engine.submit(submission(notes, resources, after))
                found = Handle(handle, before.attempt + 1 if before else 1, fruitless, mark)
                notes.submitted(found)
        except Unreachable:
            return False
        followed.submitted(found)
        return True

    def _notes(self, followed: Followed, left: Sequence[Stage], resources: Resources) -> dict[str, Any]:
        worker = {"when_held": "leave", "lag_seconds": self._settings.lag_seconds, **self._settings.worker}
        return {
            "executor": dict(self._settings.executor),
            "title": followed.unit.title,
            "keys": [stage.key for stage in left],
            "resources": asdict(resources),
            "detached": self._settings.detach,
            "work": describe(self._job, left, worker),
        }
