"""The contract of executors: a tiny suite, run to its end and with a stage that fails."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from medssl_bench.datasets import DatasetContext
from medssl_bench.executors import Executor, Job, Watchers
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.stage import Plan, Stage
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.watching import Outcome
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite
from medssl_bench.testing.checking import Group, require
from medssl_bench.testing.forking import forking_steps

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


def executor_steps(build: Callable[[], Executor], plugins: Plugins) -> list[Group]:
    """Return the steps for an executor.

    Args:
        build: makes it.
        plugins: the plugins of this process.

    Raises:
        Failed: what it makes is no executor.
    """
    made = build()
    require(isinstance(made, Executor), f"the factory gives {type(made).__name__}, not an Executor")
    return [
        [("runs every stage of a tiny suite", lambda: _runs(build(), plugins))],
        [("a failing stage stops only what builds on it", lambda: _goes_on(build(), plugins))],
        forking_steps(build),
    ]


def _runs(executor: Executor, plugins: Plugins) -> str:
    with tempfile.TemporaryDirectory() as folder:
        plan, context = _plan(Path(folder), plugins)
        stages = tuple(plan.stages.values())
        told, store = _outcomes(executor, stages, plugins, context)
        for stage in stages:
            outcome = told[stage.key]
            require(outcome.status == "done", f"{stage.title}: {outcome.status}: {outcome.reason}")
            require(store.is_done(stage.key), f"{stage.title} is said to be done, and is not in the store")
    return f"{len(stages)} stages"


def _goes_on(executor: Executor, plugins: Plugins) -> str:
    with tempfile.TemporaryDirectory() as folder:
        plan, context = _plan(Path(folder), plugins)
        stages = tuple(_spoilt(stage) if stage.kind == "embed" else stage for stage in plan.stages.values())
        told, _ = _outcomes(executor, stages, plugins, context)
        kinds = {stage.key: stage.kind for stage in stages}
        for stage in stages:
            below = any(kinds[parent] == "embed" for parent in stage.parents)
            wanted = "failed" if stage.kind == "embed" else "blocked" if below else "done"
            outcome = told[stage.key]
            require(outcome.status == wanted, f"{stage.title} is {outcome.status}, not {wanted}: {outcome.reason}")
            require(outcome.status == "done" or outcome.reason, f"{stage.title} is {outcome.status} without a reason")
    return "the others are done, and what builds on it is blocked"


def _plan(folder: Path, plugins: Plugins) -> tuple[Plan, DatasetContext]:
    (folder / "contract.toml").write_text(_SUITE, "utf-8")
    context = DatasetContext(folder, folder)
    return build_plan(Suite.load(folder / "contract.toml", plugins), context), context


def _spoilt(stage: Stage) -> Stage:
    """Return a stage that fails: its data are no longer those that the plan was made for."""
    dataset = stage.spec.dataset.model_copy(update={"fingerprint": "another"})
    return replace(stage, spec=stage.spec.model_copy(update={"dataset": dataset}))


def _outcomes(
    executor: Executor, stages: tuple[Stage, ...], plugins: Plugins, context: DatasetContext
) -> tuple[dict[str, Outcome], Store]:
    """Run stages in a store of their own; return the outcome of each by key, and the store."""
    store = Store(context.data_dir / "store")
    store.prepare()
    job = Job(stages, plugins.registry, store, context, "cpu", Watchers(plugins.manager))
    told = {outcome.stage.key: outcome for outcome in executor.run(job)}
    for stage in stages:
        require(stage.key in told, f"no outcome for {stage.title}")
    return told, store
