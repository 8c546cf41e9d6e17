"""What is made of what workers say: here they have said it, and are gone."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from leased import leased
from plan.made_up import embedding

from medssl_bench.datasets import DatasetContext
from medssl_bench.executors import Job, Watchers
from medssl_bench.executors.crew import Crew
from medssl_bench.executors.worker_process import WorkerProcess
from medssl_bench.plan.stage import Stage
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.watching import Outcome
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store

STAGE = Stage("ab" + "0" * 62, "a", {}, embedding())
BEGINS = {"hook": "medssl_stage_begins", "stage": STAGE.key}


def _ends(**outcome: Any) -> dict[str, Any]:
    return {"hook": "medssl_stage_ends", "stage": STAGE.key, "outcome": outcome}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    plugins, store = Plugins(), Store(tmp_path / "store")
    store.prepare()
    return Job((STAGE,), plugins.registry, store, DatasetContext(tmp_path, tmp_path), "cpu", Watchers(plugins.manager))


@pytest.fixture
def dead() -> Iterator[Callable[..., WorkerProcess]]:
    """Return what gives a worker that has said something and was then killed."""
    with ExitStack() as stack:

        def make(*events: dict[str, Any]) -> WorkerProcess:
            read, write = os.pipe()
            os.write(write, "".join(json.dumps(event) + "\n" for event in events).encode())
            os.close(write)
            process = subprocess.Popen(["sh", "-c", "kill -9 $$"], process_group=0)
            process.wait()
            worker = WorkerProcess(process, read, os.open(os.devnull, os.O_WRONLY))
            stack.callback(worker.close)
            return worker

        yield make


def _watched(job: Job, *workers: WorkerProcess) -> dict[str, Outcome]:
    """Return what a crew makes of workers that have ended, as `IsolatedExecutor` asks it."""
    outcomes: dict[str, Outcome] = {}
    crew = Crew(job, outcomes, workers)
    crew.watch()
    for worker in workers:
        crew.bury(worker)
    crew.close()
    return outcomes


def _record(status: str, reason: str = "") -> Record:
    return Record(STAGE.key, "embed", "a", status, {}, reason=reason)  # type: ignore[arg-type]


def test_a_want_of_memory_that_was_recorded_before_is_not_tried_again(job, dead) -> None:
    with leased(job.store, STAGE.key) as lease:
        job.store.fail(_record("failed", "out of memory; set"), "", lease)
    told = _ends(status="failed", reason="out of memory; set", elsewhere=True)

    assert _watched(job, dead(told), dead(told))[STAGE.key].status == "failed"
    assert job.store.failure(STAGE.key) is not None


def test_a_want_of_memory_beside_others_is_nothing_once_another_worker_has_done_the_stage(job, dead) -> None:
    hungry, done = _ends(status="failed", reason="out of memory; set"), _ends(status="done", elsewhere=True)

    assert _watched(job, dead(hungry), dead(done))[STAGE.key].status == "done"


def test_of_two_that_died_at_one_stage_one_is_counted(job, dead) -> None:
    """The second took it over from the first, and both were dead before anybody looked."""
    outcome = _watched(job, dead(BEGINS), dead(BEGINS))[STAGE.key]

    assert outcome.reason == "the worker process was killed by SIGKILL (too little memory?)"
    assert job.watchers.ended == [outcome]
    assert job.store.failure(STAGE.key) is not None


def test_one_that_died_when_it_had_done_its_stage_has_not_failed(job, dead) -> None:
    with leased(job.store, STAGE.key) as lease:
        job.store.finish(_record("done"), lease)

    assert _watched(job, dead(BEGINS)) == {}, "the next crew finds it done"
    assert list(job.store.path.glob("failed/*")) == []


def test_a_stage_that_another_run_has_taken_over_has_not_failed(job, dead) -> None:
    with leased(job.store, STAGE.key):
        assert _watched(job, dead(BEGINS)) == {}, "the next crew waits for it"
    assert job.store.failure(STAGE.key) is None
