"""The worker protocol, as an executor of a plugin would use it: without the pipes and processes of `isolated`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from executors.odd_suite import write
from leased import leased

from medssl_bench import hookimpl
from medssl_bench.datasets.locations import dataset_context
from medssl_bench.errors import UserError
from medssl_bench.executors import Job, Watchers
from medssl_bench.executors.remote import (
    Relay,
    bury,
    checkpoint_mark,
    describe,
    event_of,
    is_dead,
    record_death,
    this_worker,
    work,
)
from medssl_bench.plan.build import build_plan
from medssl_bench.store.presence import needed_by_runs, present
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite


class Said(Watchers):
    """Keeps what happens as events, as lines of a file would."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def tell(self, hook: str, **arguments: Any) -> None:
        self.lines.append(json.dumps({"n": len(self.lines) + 1, **event_of(hook, arguments)}))


class Watching:
    def __init__(self) -> None:
        self.seen: list[str] = []

    @hookimpl
    def medssl_stage_begins(self, stage) -> None:
        self.seen.append(f"begins {stage.kind}")

    @hookimpl
    def medssl_stage_ends(self, stage, outcome) -> None:
        self.seen.append(f"{outcome.status} {stage.kind}")


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Job, Watching]:
    monkeypatch.chdir(tmp_path)
    suite = Suite.load(write(tmp_path, "pass"))
    context = dataset_context(tmp_path / "data")
    plan = build_plan(suite, context)
    watching = Watching()
    suite.plugins.manager.register(watching)
    store = Store(Path("store"))
    store.prepare()
    stages = tuple(plan.stages.values())
    return Job(stages, suite.plugins.registry, store, context, "cpu", Watchers(suite.plugins.manager)), watching


def test_a_worker_elsewhere_does_what_was_described_and_its_events_may_be_heard_twice(
    job: tuple[Job, Watching], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, watching = job
    given = json.loads(json.dumps(describe(here, here.stages, {})))
    monkeypatch.chdir(tmp_path.parent)  # a worker has a working directory of its own
    said = Said()
    found = work(given, said)
    monkeypatch.chdir(tmp_path)
    assert [outcome.status for outcome in found] == ["done"] * len(here.stages)
    assert all(here.store.is_done(stage.key) for stage in here.stages)
    heard = []
    relay = Relay(here, heard.append)
    for line in (*said.lines, *said.lines):
        relay.hear(json.loads(line))
    assert [outcome.stage.key for outcome in heard] == [stage.key for stage in here.stages]
    assert watching.seen == [f"begins {stage.kind}" for stage in here.stages]
    assert relay.spoke
    assert relay.at == ""
    relay.hear({"n": 10_000, "end": True})
    assert relay.at is None


def test_a_plugin_that_has_changed_is_refused(job: tuple[Job, Watching], tmp_path: Path) -> None:
    here, _ = job
    given = describe(here, here.stages, {})
    (tmp_path / "odd.py").write_text((tmp_path / "odd.py").read_text() + "\nX = 1\n")
    with pytest.raises(UserError, match="changed since the plan was made"):
        work(given, Said())


def test_a_death_is_recorded_once(job: tuple[Job, Watching]) -> None:
    here, _ = job
    stage = here.stages[0]
    with leased(here.store, stage.key):
        assert record_death(stage, "was lost", here) is None, "another process has it"
    outcome = record_death(stage, "ran out of time", here)
    assert outcome is not None
    assert outcome.reason == "the worker process ran out of time"
    failure = here.store.failure(stage.key)
    assert failure is not None
    assert failure.reason == outcome.reason


def test_the_dead_are_buried_at_once_with_what_they_said_that_they_need(job: tuple[Job, Watching]) -> None:
    here, _ = job
    key, store = here.stages[0].key, here.store
    lease = store.leases.acquire(key)
    assert lease is not None
    assert not is_dead(this_worker())
    assert checkpoint_mark(key, store) == ""
    (lease.folder / "checkpoint.txt").write_text(f"{'a' * 64} and more")
    assert checkpoint_mark(key, store) == "a" * 64
    with present(store.path, [key]):
        assert bury("node7-0123456789ab-12-34", [key], store) == [], "it is another's"
        assert bury(this_worker(), [key, "f" * 64], store) == [key]
        assert needed_by_runs(store.path) == set()
    lease.release(keep=False)
    assert checkpoint_mark(key, store) == "a" * 64, "the checkpoint is for whoever comes next"


def test_a_worker_that_is_alone_says_what_it_needs(job: tuple[Job, Watching]) -> None:
    here, _ = job
    seen = []

    class Looks(Said):
        def tell(self, hook: str, **arguments: Any) -> None:
            seen.append(needed_by_runs(here.store.path))

    work(describe(here, here.stages, {}), Looks(), alone=True)
    assert seen[0] == {stage.key for stage in here.stages}
    assert needed_by_runs(here.store.path) == set()
