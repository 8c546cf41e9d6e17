"""The contract of watchers: a tiny run, with an end of every kind, is shown to them, and its events in other orders."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from contextlib import chdir
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import UserError
from medssl_bench.executors import Job, Watchers
from medssl_bench.executors.local import LocalExecutor
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.stage import Plan, Stage
from medssl_bench.plugin import hookspecs
from medssl_bench.plugin.hooks import watched_hooks
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.markers import PROJECT
from medssl_bench.plugin.watching import RunInfo
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.session.views import Views
from medssl_bench.session.watching import make_watcher
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite
from medssl_bench.testing.checking import Failed, Group, generator_states, require, require_untouched
from medssl_bench.testing.importing import imports_without_network
from medssl_bench.testing.left_behind import watch_for_left

if TYPE_CHECKING:
    from medssl_bench.plugin.component import Component

Event = tuple[str, dict[str, Any]]
"""The name of a hook, and its arguments."""

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


def watcher_steps(plugins: Plugins, name: str, component: Component | None = None) -> list[Group]:
    """Return the steps for what watches a run.

    Args:
        plugins: the plugins of this process.
        name: of the plugin.
        component: the watcher; None: the hooks of the plugin itself.

    Raises:
        PluginError: the component cannot be made, or is no watcher.
    """
    if component:
        make_watcher(plugins, component)
    tried = _Tried(plugins, lambda: make_watcher(plugins, component) if component else plugins.manager.get_plugin(name))
    return [
        [("watches a run", tried.watches)],
        [
            ("the results are those of a run without it", tried.changes_nothing),
            ("takes events that come again", tried.again),
            ("takes several stages at a time", tried.mixed),
            ("leaves no process and no thread", tried.leaves_nothing),
            ("needs no network to be imported", lambda: imports_without_network(plugins, name, component)),
        ],
    ]


class _Strict(Watchers):
    """Tells one watcher alone, and notes what is wrong with it.

    Attributes:
        told: the names of the hooks that were called, in order.
        wrong: what it raised, or an empty string.
        drew: from which global generator it drew, or an empty string.
    """

    def __init__(self, implementation: object) -> None:
        alone = pluggy.PluginManager(PROJECT)
        alone.add_hookspecs(hookspecs)
        alone.register(implementation)
        super().__init__(alone)
        self._watched = watched_hooks(implementation)
        self.told: list[str] = []
        self.wrong = self.drew = ""

    def tell(self, hook: str, **arguments: Any) -> None:
        """Call a watching hook; after the first that raises none is called, as in a run."""
        if self.wrong or hook not in self._watched:
            return
        self.told.append(hook)
        before = generator_states()
        try:
            getattr(self._manager.hook, hook)(**arguments)
            require_untouched(before, generator_states())
        except Failed as failure:
            self.drew = f"{hook}: {failure}"
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is wrong with it
            shown = arguments.get("outcome") or arguments.get("stage")
            what = f" of {_in_words(shown)}" if shown else ""
            self.wrong = f"{hook}{what} raises {type(error).__name__}: {error}; a run would go on without it from there"


def _in_words(shown: Any) -> str:
    """Return what a hook is called for: a stage, and how it ended."""
    status = f" that is {shown.status}" if hasattr(shown, "status") else ""
    return f"an {shown.stage.kind} stage{status}" if status else f"a stage of kind {shown.kind}"


class _Recorded(Watchers):
    """Keeps what happens, to be told once more."""

    def __init__(self) -> None:
        super().__init__(pluggy.PluginManager(PROJECT))
        self.events: list[Event] = []

    def tell(self, hook: str, **arguments: Any) -> None:
        """Keep an event."""
        self.events.append((hook, arguments))


class _Tried:
    """What was found of a watcher that was shown a tiny run, and once more its events in other orders."""

    def __init__(self, plugins: Plugins, make: Callable[[], object]) -> None:
        self._plugins, self._make = plugins, make
        self._wrong: dict[str, str] = {}
        self._stages = 0

    def watches(self) -> str:
        """Try everything; the other steps say what was found."""
        with tempfile.TemporaryDirectory() as folder, chdir(folder):  # it may write beside itself
            recorded = _Recorded()
            expected = _run(Path(folder, "without"), self._plugins, recorded)
            left = watch_for_left()
            watchers = _Strict(self._make())
            found = _run(Path(folder, "with"), self._plugins, watchers)
            if watchers.wrong:
                raise Failed(watchers.wrong)
            differ = sorted(title for title in expected if found.get(title) != expected[title])
            self._wrong["results"] = watchers.drew or (f"other results: {', '.join(differ)}" if differ else "")
            self._stages = len(expected)
            for way, order in (("again", told_again), ("mixed", told_mixed)):
                strict = _Strict(self._make())
                for hook, arguments in order(recorded.events):
                    strict.tell(hook, **arguments)
                self._wrong[way] = strict.wrong
            still = left()
            self._wrong["left"] = f"when a run has ended there is still {still}" if still else ""
        return ", ".join(f"{hook} ({watchers.told.count(hook)})" for hook in dict.fromkeys(watchers.told))

    def changes_nothing(self) -> str:
        """Say whether results were the same, and no global generator was drawn from."""
        return self._told("results", f"{self._stages} stages")

    def again(self) -> str:
        """Say whether it stood events that it knew already, as where a worker dies and another begins again."""
        return self._told("again", "epochs and ends of stages")

    def mixed(self) -> str:
        """Say whether it stood stages that run at the same time, as with several workers."""
        return self._told("mixed", f"{self._stages} stages")

    def leaves_nothing(self) -> str:
        """Say whether processes or threads were there when its runs had ended."""
        return self._told("left", "yes")

    def _told(self, what: str, found: str) -> str:
        if not self._wrong:  # a test may ask for this alone
            self.watches()
        require(not self._wrong[what], self._wrong[what])
        return found


def told_again(events: Sequence[Event]) -> list[Event]:
    """Return the events of a run in which each stage begins again after every epoch, and ends twice."""
    found: list[Event] = []
    of_stage: list[Event] = []
    for hook, arguments in events:
        of_stage = [] if hook == "medssl_stage_begins" else of_stage
        if "epoch" in arguments or hook == "medssl_stage_begins":
            of_stage.append((hook, arguments))
            found += of_stage  # once more from its beginning
        else:
            found += [(hook, arguments)] * (1 if hook.startswith("medssl_run") else 2)
    return found


def told_mixed(events: Sequence[Event]) -> list[Event]:
    """Return the events of a run in the order in which they would come from a worker for each stage."""
    first, *rest, last = events
    lanes: dict[str, list[Event]] = {}
    for event in rest:
        lanes.setdefault(event[1]["stage"].key, []).append(event)
    return [first, *(event for row in zip_longest(*lanes.values()) for event in row if event is not None), last]


def _run(folder: Path, plugins: Plugins, watchers: Watchers) -> dict[str, Any]:
    """Run a tiny suite whose untrained encoder fails, so that its evaluation is blocked, and wait for a stage.

    Returns:
        What each stage has measured and left, by its title.
    """
    folder.mkdir()
    (folder / "contract.toml").write_text(_SUITE, "utf-8")
    suite, context = Suite.load(folder / "contract.toml", plugins), DatasetContext(folder, folder)
    plan = build_plan(suite, context)
    store = Store(folder / "store")
    store.prepare()
    stages = tuple(_spoilt(stage) if _is_untrained(stage) else stage for stage in plan.stages.values())
    info = RunInfo(suite.name, store.path, tuple(stage.info(seconds=1.0) for stage in stages), cached=0)
    views = Views(plan, plugins, context)
    watchers.tell("medssl_run_begins", run=info, refresh=lambda: _board(suite, plan, store), views=views)
    outcomes = LocalExecutor().run(Job(stages, plugins.registry, store, context, "cpu", watchers))
    watchers.tell("medssl_stage_waits", stage=stages[0].info(), owner="process 4711 on another machine")
    watchers.tell("medssl_stage_queued", stage=stages[0].info(), why="Resources")
    watchers.tell("medssl_run_ends", run=info, outcomes=outcomes)
    if {outcome.status for outcome in outcomes} != {"done", "failed", "blocked"}:
        raise UserError("the run that it was to watch did not end as it should")
    return {stage.title: _result(store, stage.key) for stage in stages}


def _result(store: Store, key: str) -> Any:
    """Return what a stage has measured, and digests of the files that it has left."""
    record = store.record(key)
    if record is None:
        return None
    files = sorted(file for file in store.folder(key).iterdir() if file.name != "record.json")
    return record.metrics, record.flags, {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _board(suite: Suite, plan: Plan, store: Store) -> Leaderboard:
    return Leaderboard.of(suite, plan, store)


def _is_untrained(stage: Stage) -> bool:
    return stage.kind == "embed" and not stage.parents


def _spoilt(stage: Stage) -> Stage:
    """Return a stage that fails: its data are no longer those that the plan was made for."""
    dataset = stage.spec.dataset.model_copy(update={"fingerprint": "another"})
    return replace(stage, spec=stage.spec.model_copy(update={"dataset": dataset}))
