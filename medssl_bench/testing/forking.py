"""The contract of executors, for components that start processes of their own, as loaders of data do."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from medssl_bench.datasets import DatasetContext
from medssl_bench.executors import Executor, Job, Watchers
from medssl_bench.plan.build import build_plan
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite
from medssl_bench.testing.checking import Failed, Step, require

_SECONDS = 120.0
"""After which a run counts as one that hangs."""

_SUITE = """
schema = 1
name = "contract"
plugins = ["forks.py"]
floors = []

[[comparison]]
id = "table"
datasets = [{ name = "phantom_layers", train = 40, val = 10, test = 20 }]
labels = [20]
draws = [0]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "forks"
  evaluator = "forks"
"""

_PLUGIN = '''
import multiprocessing

import numpy as np
from torch.utils.data import DataLoader

from medssl_bench import hookimpl
from medssl_bench.evaluators import Evaluation, Evaluator


@hookimpl
def medssl_evaluators(register):
    register("forks", Forks)


def _double(number):
    return 2 * number


class Forks(Evaluator):
    """Lets processes of its own compute."""

    needs = "encoder"

    def evaluate(self, trial):
        context = multiprocessing.get_context("fork")
        with context.Pool(2) as pool:
            assert pool.map(_double, range(8)) == [2 * number for number in range(8)]
        loader = DataLoader(list(range(8)), batch_size=2, num_workers=2, multiprocessing_context="fork")
        assert sum(int(batch.sum()) for batch in loader) == 28
        shape = len(trial.splits["test"]), len(trial.info.classes)
        return Evaluation(np.full(shape, 1 / shape[1], np.float32))
'''


def forking_steps(build: Callable[[], Executor]) -> list[Step]:
    """Return the steps for an executor whose stages fork.

    Args:
        build: makes it.
    """
    return [("a component may start processes of its own", lambda: _forks(build()))]


def _forks(executor: Executor) -> str:
    if not hasattr(os, "fork"):
        return "not checked: this system has no fork"
    with tempfile.TemporaryDirectory() as name, _limited(_SECONDS):
        folder = Path(name)
        (folder / "contract.toml").write_text(_SUITE, "utf-8")
        (folder / "forks.py").write_text(_PLUGIN, "utf-8")
        suite, context = Suite.load(folder / "contract.toml"), DatasetContext(folder, folder)
        store = Store(folder / "store")
        store.prepare()
        stages = tuple(build_plan(suite, context).stages.values())
        plugins = suite.plugins
        told = executor.run(Job(stages, plugins.registry, store, context, "cpu", Watchers(plugins.manager)))
        for outcome in told:
            require(outcome.status == "done", f"{outcome.stage.title}: {outcome.status}: {outcome.reason}")
    return "a pool, a loader of data with two workers"


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise an error in the block when it takes too long; outside the main thread it may.

    Raises:
        Failed: it takes longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def fail(_number: int, _frame: FrameType | None) -> None:
        raise Failed(f"it still hangs after {seconds:g} seconds: standard input, or a pipe, is held by two processes")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
