"""The contract of watchers: a tiny run, with an end of every kind, is shown to them."""

from __future__ import annotations

import tempfile
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import pluggy

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import UserError
from medssl_bench.executors import Job, Watchers
from medssl_bench.executors.local import LocalExecutor
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.stage import Plan, Stage
from medssl_bench.plugin import hookspecs
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.markers import PROJECT
from medssl_bench.plugin.watching import RunInfo
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite
from medssl_bench.testing.checking import Failed, Group

_SUITE = """
schema = 1
name = "contract"

[pretraining.short]
encoder = { name = "timm", model = "test_resnet" }
augmentation = "plain"
epochs = 2
batch_size = 20

[[comparison]]
id = "table"
datasets = [{ name = "phantom_layers", train = 40, val = 20, test = 20 }]
labels = [20]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "pretrained"
  pretraining = ["short"]
  evaluator = { name = "linear_probe", epochs = 2 }

  [[comparison.arm]]
  name = "neighbours"
  evaluator = { name = "knn", k = 3 }
"""


def watcher_steps(plugins: Plugins, name: str) -> list[Group]:
    """Return the steps for the hooks of a plugin that watch a run."""
    return [[("watches a run", lambda: _watches(plugins, name))]]


class _Strict(Watchers):
    """Tells one plugin alone, and fails where it raises.

    Attributes:
        told: the names of the hooks that were called, in order.
    """

    def __init__(self, plugins: Plugins, name: str) -> None:
        alone = pluggy.PluginManager(PROJECT)
        alone.add_hookspecs(hookspecs)
        alone.register(plugins.manager.get_plugin(name), name)
        super().__init__(alone)
        self._watched = plugins.watched(name)
        self.told: list[str] = []
        self.wrong = ""

    def tell(self, hook: str, **arguments: Any) -> None:
        """Call a watching hook; after the first that raises none is called, as in a run."""
        if self.wrong or hook not in self._watched:
            return
        self.told.append(hook)
        try:
            getattr(self._manager.hook, hook)(**arguments)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is wrong with it
            shown = arguments.get("outcome") or arguments.get("stage")
            what = f" of {_in_words(shown)}" if shown else ""
            self.wrong = f"{hook}{what} raises {type(error).__name__}: {error}; a run would go on without it from there"


def _in_words(shown: Any) -> str:
    """Return what a hook is called for: a stage, and how it ended."""
    status = f" that is {shown.status}" if hasattr(shown, "status") else ""
    return f"an {shown.stage.kind} stage{status}" if status else f"a stage of kind {shown.kind}"


def _watches(plugins: Plugins, name: str) -> str:
    watchers = _Strict(plugins, name)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # it may write beside itself
        _run(Path(folder), plugins, watchers)
    if watchers.wrong:
        raise Failed(watchers.wrong)
    return ", ".join(f"{hook} ({watchers.told.count(hook)})" for hook in dict.fromkeys(watchers.told))


def _run(folder: Path, plugins: Plugins, watchers: Watchers) -> None:
    """Run a tiny suite whose untrained encoder fails, so that its evaluation is blocked, and wait for a stage."""
    (folder / "contract.toml").write_text(_SUITE, "utf-8")
    suite, context = Suite.load(folder / "contract.toml", plugins), DatasetContext(folder, folder)
    plan = build_plan(suite, context)
    store = Store(folder / "store")
    store.prepare()
    stages = tuple(_spoilt(stage) if _is_untrained(stage) else stage for stage in plan.stages.values())
    info = RunInfo(suite.name, store.path, tuple(stage.info(seconds=1.0) for stage in stages), cached=0)
    watchers.tell("medssl_run_begins", run=info, refresh=lambda: _board(suite, plan, store))
    outcomes = LocalExecutor().run(Job(stages, plugins.registry, store, context, "cpu", watchers))
    watchers.tell("medssl_stage_waits", stage=stages[0].info(), owner="process 4711 on another machine")
    watchers.tell("medssl_stage_queued", stage=stages[0].info(), why="Resources")
    watchers.tell("medssl_run_ends", run=info, outcomes=outcomes)
    if {outcome.status for outcome in outcomes} != {"done", "failed", "blocked"}:
        raise UserError("the run that it was to watch did not end as it should")


def _board(suite: Suite, plan: Plan, store: Store) -> Leaderboard:
    return Leaderboard.of(suite, plan, store)


def _is_untrained(stage: Stage) -> bool:
    return stage.kind == "embed" and not stage.parents


def _spoilt(stage: Stage) -> Stage:
    """Return a stage that fails: its data are no longer those that the plan was made for."""
    dataset = stage.spec.dataset.model_copy(update={"fingerprint": "another"})
    return replace(stage, spec=stage.spec.model_copy(update={"dataset": dataset}))
