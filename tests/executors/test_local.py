"""The local executor: order, failures, what builds on them, and watchers."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from leased import leased
from plan.made_up import embedding

from medssl_bench import hookimpl
from medssl_bench.datasets import DatasetContext
from medssl_bench.executors import Job, Watchers
from medssl_bench.executors.local import LocalExecutor
from medssl_bench.plan.stage import Stage
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.plugin.registry import Entry, Plugin
from medssl_bench.store.store import Store
from medssl_bench.testing.tape import Tape
from medssl_bench.training.recording import recorded_by, recorder_for


class _Told:
    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    @hookimpl
    def medssl_stage_begins(self, stage):
        self.heard.append(("begins", stage.title))

    @hookimpl
    def medssl_stage_ends(self, stage, outcome):
        self.heard.append((outcome.status, stage.title))


class _Raises:
    @hookimpl
    def medssl_stage_begins(self, stage):
        raise RuntimeError("watching badly")


def _stage(title: str, *parents: str) -> Stage:
    """Return a stage whose data set does not exist, so that it fails when it runs."""
    return Stage(f"{title:0<64}", title, {"title": title}, embedding(), tuple(f"{p:0<64}" for p in parents))


def _stage_of(plugins: Plugins, error: type[BaseException]) -> Stage:
    """Return a stage whose data set is a new one that raises when it is made."""

    def factory(context):
        raise error("no more of this")

    name = f"raising-{error.__name__}"
    plugins.registry.add(Entry(KINDS["dataset"], name, Plugin("mine", "inline"), factory))
    component = plugins.registry.resolve("dataset", name, Path())
    return Stage(f"{error.__name__:0<64}", error.__name__, {}, embedding(component))


@contextmanager
def _no_file_can_grow() -> Iterator[None]:
    """Let every write to a file fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def job(tmp_path: Path):
    def make(plugins: Plugins, *stages: Stage) -> Job:
        store = Store(tmp_path / "store")
        store.prepare()
        context = DatasetContext(tmp_path, tmp_path)
        return Job(stages, plugins.registry, store, context, "cpu", Watchers(plugins.manager))

    return make


def test_what_builds_on_a_failure_is_blocked_and_the_rest_goes_on(job):
    plugins, told = load_plugins(), _Told()
    plugins.manager.register(told)
    outcomes = LocalExecutor().run(job(plugins, _stage("a"), _stage("b", "a"), _stage("c", "b"), _stage("d")))
    assert [(o.stage.title, o.status) for o in outcomes] == [
        ("a", "failed"), ("b", "blocked"), ("c", "blocked"), ("d", "failed"),
    ]  # fmt: skip
    assert outcomes[0].reason == "there is no dataset 'no_such'; there are: " + ", ".join(
        sorted(plugins.registry.entries["dataset"])
    )
    assert outcomes[2].reason == "a failed"
    assert told.heard == [
        ("begins", "a"), ("failed", "a"), ("blocked", "b"), ("blocked", "c"), ("begins", "d"), ("failed", "d"),
    ]  # fmt: skip


def test_failures_are_recorded_with_their_traceback(job):
    work = job(load_plugins(), _stage("a"))
    LocalExecutor().run(work)
    failure = work.store.failure(f"{'a':0<64}")
    assert failure is not None
    assert failure.status == "failed"
    assert "Traceback" in (work.store.path / "failed" / failure.key / "traceback.txt").read_text()
    assert not list((work.store.path / "work").iterdir())


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, MemoryError, ZeroDivisionError])
def test_a_component_that_ends_the_process_only_fails_its_stage(job, error: type[BaseException]):
    plugins = load_plugins()
    outcomes = LocalExecutor().run(job(plugins, _stage_of(plugins, error), _stage("b")))
    assert outcomes[0].status == "failed"
    assert f"{error.__name__}: no more of this" in outcomes[0].reason
    assert outcomes[1].status == "failed"


def test_the_name_of_a_file_that_is_not_utf_8_fails_its_stage_alone(job):
    class NotRead(Exception):
        def __str__(self):
            return "cannot read j\udcfcrgen.npz"

    plugins = load_plugins()
    work = job(plugins, _stage_of(plugins, NotRead), _stage("b"))
    outcomes = LocalExecutor().run(work)
    assert [outcome.status for outcome in outcomes] == ["failed", "failed"]
    assert outcomes[0].reason == r"NotRead: cannot read j\udcfcrgen.npz"
    text = (work.store.path / "failed" / outcomes[0].stage.key / "traceback.txt").read_text("utf-8")
    assert r"cannot read j\udcfcrgen.npz" in text


def test_an_interrupt_gets_out_and_what_ended_before_is_known(job):
    plugins = load_plugins()
    work = job(plugins, _stage("a"), _stage_of(plugins, KeyboardInterrupt), _stage("c"))
    with pytest.raises(KeyboardInterrupt):
        LocalExecutor().run(work)
    assert [outcome.stage.title for outcome in work.watchers.ended] == ["a"]


def test_a_full_disk_is_told_and_leaves_the_store_whole(job):
    work = job(load_plugins(), _stage("a"), _stage("b", "a"))
    with _no_file_can_grow():
        outcomes = LocalExecutor().run(work)
    assert [outcome.status for outcome in outcomes] == ["failed", "blocked"]
    assert "there is no dataset 'no_such'" in outcomes[0].reason
    assert "(not recorded: the store cannot be written: File too large)" in outcomes[0].reason
    store = Store(work.store.path)
    assert store.failure(f"{'a':0<64}") is None
    assert {path.name for path in store.path.rglob("*") if path.is_file()} == {"store.json"}
    LocalExecutor().run(work)
    assert store.failure(f"{'a':0<64}") is not None


def test_a_watcher_that_raises_is_left_out_and_told_once(job):
    plugins = load_plugins()
    plugins.manager.register(_Raises(), name="bad")
    with pytest.warns(UserWarning, match="plugin 'bad' stops watching: RuntimeError: watching badly") as warned:
        outcomes = LocalExecutor().run(job(plugins, _stage("a"), _stage("b")))
    assert len(warned) == 1
    assert len(outcomes) == 2


def test_unknown_device(job, tmp_path):
    from dataclasses import replace

    from medssl_bench.errors import UserError

    with pytest.raises(UserError, match="--device tpu9: there is no such device here"):
        LocalExecutor().run(replace(job(load_plugins(), _stage("a")), device="tpu9"))


class _Looks:
    def __init__(self) -> None:
        self.recorders: list[object] = []

    @hookimpl
    def medssl_stage_begins(self, stage):
        self.recorders.append(recorder_for(torch.device("cpu")))


@pytest.mark.parametrize("graphs", [True, False])
def test_steps_are_recorded_unless_that_is_not_wanted(job, graphs):
    plugins, looks, tape = load_plugins(), _Looks(), Tape()
    plugins.manager.register(looks)
    with recorded_by(lambda _: tape):
        LocalExecutor(graphs=graphs).run(job(plugins, _stage("a")))

    assert looks.recorders == [tape if graphs else None]


def test_who_leaves_does_not_wait_for_others_nor_for_parents_that_never_come(job):
    plugins = load_plugins()
    held, lost, free = _stage("held"), _stage("lost", "nowhere"), _stage("free")
    work = job(plugins, held, lost, free)
    with leased(work.store, held.key):
        outcomes = LocalExecutor(when_held="leave", lag_seconds=0.1).run(work)
    assert [(outcome.stage.title, outcome.status) for outcome in outcomes] == [("free", "failed")], "it has no data"


def test_who_leaves_sees_that_a_parent_elsewhere_has_failed(job):
    plugins = load_plugins()
    LocalExecutor().run(job(plugins, _stage("a")))
    outcomes = LocalExecutor(when_held="leave").run(job(plugins, _stage("b", "a")))
    assert [(outcome.status, outcome.reason) for outcome in outcomes] == [("blocked", "a failed")]
