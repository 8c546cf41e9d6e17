"""What an executor does in place of running every stage is told in one line, and no run ends well by it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from leased import leased
from plan.made_up import embedding

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import PluginError, UserError
from medssl_bench.executors import Executor, Job, Watchers
from medssl_bench.executors.answer import run_job
from medssl_bench.plan.stage import Stage
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.watching import Outcome
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store

STAGES = tuple(Stage(f"{title:0<64}", title, {}, embedding()) for title in ("a", "b"))


class _Does(Executor):
    def __init__(self, act: Callable[[Job], object]) -> None:
        self._act = act

    def run(self, job: Job) -> list[Outcome]:
        return self._act(job)  # type: ignore[return-value]


def _raising(error: BaseException) -> Callable[[Job], object]:
    def act(_job: Job) -> object:
        raise error

    return act


def _ended(*statuses: str) -> list[Outcome]:
    return [Outcome(stage.info(), status) for stage, status in zip(STAGES, statuses, strict=False)]  # type: ignore[arg-type]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    plugins, store = Plugins(), Store(tmp_path / "store")
    store.prepare()
    context = DatasetContext(tmp_path, tmp_path)
    return Job(STAGES, plugins.registry, store, context, "cpu", Watchers(plugins.manager))


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (_raising(SystemExit(0)), "executor 'mine': SystemExit: 0"),
        (_raising(KeyError("queue")), "executor 'mine': KeyError: 'queue'"),
        (lambda _job: None, "executor 'mine' does not give a list of outcomes"),
        (lambda _job: ["done", "done"], "executor 'mine' does not give a list of outcomes"),
        (lambda _job: [], "executor 'mine' does not say how 2 of 2 stages ended; the first is a"),
        (lambda _job: _ended("failed"), "executor 'mine' does not say how 1 of 2 stages ended; the first is b"),
        (
            lambda _job: _ended("failed", "done"),
            "executor 'mine' says that a stage is done whose result is not in the store: b",
        ),
    ],
)
def test_what_is_no_answer(act: Callable[[Job], object], line: str, job: Job) -> None:
    with pytest.raises(PluginError) as caught:
        run_job(_Does(act), job, "mine")
    assert str(caught.value) == line


def test_an_answer_is_passed_on(job: Job) -> None:
    with leased(job.store, STAGES[0].key) as lease:
        job.store.finish(Record(STAGES[0].key, "embed", "a", "done", {}), lease)
    outcomes = _ended("done", "failed")
    assert run_job(_Does(lambda _job: outcomes), job, "mine") is outcomes


@pytest.mark.parametrize("error", [KeyboardInterrupt(), UserError("--device tpu9: there is no such device here")])
def test_an_interrupt_and_a_refusal_pass_through(error: BaseException, job: Job) -> None:
    with pytest.raises(type(error)) as caught:
        run_job(_Does(_raising(error)), job, "mine")
    assert caught.value is error
