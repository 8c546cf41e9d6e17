"""Plugins that watch a run: told what they ask for, and left out once they raise."""

from __future__ import annotations

import pytest

from medssl_bench import hookimpl
from medssl_bench.errors import WatcherWarning
from medssl_bench.executors import Watchers
from medssl_bench.plugin import hookspecs
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.registry import Plugin
from medssl_bench.plugin.watching import Epoch, Outcome, StageInfo

STAGE = StageInfo("0" * 64, "pretrain", "pretrain · nat")


class Counting:
    """Watches some hooks, with some of their arguments."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        self.seen.append(stage.title)

    @hookimpl
    def medssl_epoch_ends(self, epoch: Epoch) -> None:
        self.seen.append(epoch.index)

    @hookimpl
    def medssl_run_ends(self) -> None:
        self.seen.append("end")


class Raising(Counting):
    @hookimpl
    def medssl_epoch_ends(self, epoch: Epoch) -> None:
        self.seen.append(epoch.index)
        raise RuntimeError("cannot\nwatch")


class Exiting(Counting):
    @hookimpl
    def medssl_epoch_ends(self, epoch: Epoch) -> None:
        raise SystemExit(3)


class Renamed:
    """Watches with a function of another name, which pluggy allows."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    @hookimpl(specname="medssl_epoch_ends")
    def note(self, epoch: Epoch) -> None:
        self.seen.append(epoch.index)


class Interrupting:
    @hookimpl
    def medssl_stage_begins(self) -> None:
        raise KeyboardInterrupt


def _watchers(*watching: object) -> Watchers:
    plugins = Plugins()
    for number, implementation in enumerate(watching):
        assert not plugins.add(Plugin(f"watcher-{number}", "installed"), lambda found=implementation: found).problem
    return Watchers(plugins.manager)


def _tell(watchers: Watchers) -> None:
    watchers.tell("medssl_stage_begins", stage=STAGE)
    for index in range(2):
        watchers.tell("medssl_epoch_ends", stage=STAGE, epoch=Epoch(index, 2, {"loss": 1.0}))
    watchers.tell("medssl_stage_ends", stage=STAGE, outcome=Outcome(STAGE, "done"))
    watchers.tell("medssl_run_ends", run=None, outcomes=[])


def test_watchers_are_told_what_they_ask_for() -> None:
    first, second = Counting(), Counting()
    _tell(_watchers(first, second))
    assert first.seen == second.seen == ["pretrain · nat", 0, 1, "end"]


def test_one_that_raises_is_told_nothing_more_and_the_others_are() -> None:
    before, raising, after = Counting(), Raising(), Counting()
    with pytest.warns(WatcherWarning) as warned:
        _tell(_watchers(before, raising, after))
    (warning,) = warned
    assert str(warning.message).startswith("plugin 'watcher-1' stops watching: RuntimeError: cannot")
    assert raising.seen == ["pretrain · nat", 0]
    assert before.seen == after.seen == ["pretrain · nat", 0, 1, "end"]


def test_one_that_exits_does_not_end_the_run() -> None:
    exiting, after = Exiting(), Counting()
    with pytest.warns(WatcherWarning, match="plugin 'watcher-0' stops watching: SystemExit: 3"):
        _tell(_watchers(exiting, after))
    assert after.seen == ["pretrain · nat", 0, 1, "end"]


def test_a_function_of_another_name_is_told_too() -> None:
    renamed = Renamed()
    _tell(_watchers(renamed))
    assert renamed.seen == [0, 1]


def test_an_interrupt_passes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        _watchers(Interrupting()).tell("medssl_stage_begins", stage=STAGE)


def test_every_hook_says_what_it_is_for_and_is_a_kinds_a_watchers_or_a_reports() -> None:
    hooks = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("medssl_")}
    registering = {kind.hook for kind in KINDS.values()}
    assert registering <= hooks.keys()
    assert hooks.keys() - registering == {
        "medssl_report",
        "medssl_stage_waits",
        "medssl_stage_queued",
        *(f"medssl_{what}_{how}" for what in ("run", "stage", "epoch") for how in ("begins", "ends")),
    }
    assert all(len(hook.__doc__) > 20 for hook in hooks.values())
