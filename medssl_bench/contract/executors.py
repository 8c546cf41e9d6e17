"""The contract of executors: a tiny suite, every stage of it done."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from medssl_bench.contract.checking import Step, require
from medssl_bench.datasets import DatasetContext
from medssl_bench.executors import Executor, Job, Watchers
from medssl_bench.plan.build import build_plan
from medssl_bench.plugin.manager import Plugins
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

_SUITE = """
schema = 1
name = "contract"
draws = [0, 1]

[[comparison]]
id = "table"
datasets = [{ name = "phantom_layers", train = 40, val = 10, test = 20 }]
labels = [20]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "neighbours"
  evaluator = { name = "knn", k = 3 }
"""


def executor_steps(build: Callable[[], Executor], plugins: Plugins) -> list[Step]:
    """Return the steps for an executor.

    Args:
        build: makes it.
        plugins: the plugins of this process.
    """
    return [("runs every stage of a tiny suite", lambda: _runs(build(), plugins))]


def _runs(executor: Executor, plugins: Plugins) -> str:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        (folder / "contract.toml").write_text(_SUITE, "utf-8")
        context = DatasetContext(folder, folder)
        plan = build_plan(Suite.load(folder / "contract.toml", plugins), context)
        store = Store(folder / "store")
        store.prepare()
        stages = tuple(plan.stages.values())
        job = Job(stages, plugins.registry, store, context, "cpu", Watchers(plugins.manager))
        outcomes = executor.run(job)
        told = {outcome.stage.key: outcome for outcome in outcomes}
        for stage in stages:
            require(stage.key in told, f"no outcome for {stage.title}")
            outcome = told[stage.key]
            require(outcome.status == "done", f"{stage.title}: {outcome.status}: {outcome.reason}")
            require(store.is_done(stage.key), f"{stage.title} is said to be done, and is not in the store")
    return f"{len(stages)} stages"
