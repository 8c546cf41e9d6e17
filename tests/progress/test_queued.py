"""What a queue of a cluster is said to hold: a stage is counted once, and no longer than it waits."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from medssl_bench.plugin.watching import Outcome, RunInfo, StageInfo
from medssl_bench.progress import lines as module
from medssl_bench.progress.lines import PlainLines
from medssl_bench.progress.live import LiveView
from medssl_bench.progress.queued import Queued
from medssl_bench.results.leaderboard import Leaderboard

STAGES = tuple(StageInfo(str(n), "embed", f"features {n}", 9.0) for n in range(4))
RUN = RunInfo("suite", Path("store"), STAGES, 0)


def test_the_most_frequent_reason_comes_first() -> None:
    queued = Queued()
    assert not queued
    for number, why in enumerate(("Priority", "Resources", "Resources", "")):
        queued.waits(str(number), why)
    assert queued.words() == "4 queued (Resources, Priority)"
    queued.leaves("0")
    queued.leaves("0")
    assert queued.words() == "3 queued (Resources)"


def test_a_log_says_it_once_a_minute_and_a_stage_that_begins_twice_keeps_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, log = [100.0], io.StringIO()
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    shown = PlainLines(Console(file=log, width=200))
    shown.medssl_run_begins(RUN)
    for stage in STAGES:
        shown.medssl_stage_queued(stage, "Resources")
    shown.medssl_stage_begins(STAGES[0])
    now[0] += 100
    shown.medssl_stage_queued(STAGES[1], "Resources")
    shown.medssl_stage_queued(STAGES[0], "BeginTime")  # its job was preempted
    shown.medssl_stage_begins(STAGES[0])
    shown.medssl_stage_ends(STAGES[0], Outcome(STAGES[0], "done", 1.0))
    shown.medssl_stage_begins(STAGES[1])
    assert log.getvalue().splitlines() == [
        "suite: 4 stages to run, 0 done already, about 36 s",
        "1 queued (Resources), 0 at work",
        "[1/4] features 0",
        "3 queued (Resources), 1 at work",
        "[1/4] features 0",
        "    done in 1 s",
        "[2/4] features 1",
    ]


def test_the_live_view_has_them_in_its_first_line() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, height=20, color_system=None)
    view = LiveView(console)
    view.medssl_run_begins(RUN, lambda: Leaderboard("suite", [], []))
    try:
        view.medssl_stage_begins(STAGES[0])
        view.medssl_stage_queued(STAGES[0], "Resources")
        view.medssl_stage_queued(STAGES[1], "Resources")
        text = "".join(segment.text for segment in console.render(view))
        assert "2 queued (Resources)" in text
        assert "features 0" not in text, "it is not at work any more"
        view.medssl_stage_begins(STAGES[0])
        view.medssl_stage_ends(STAGES[1], Outcome(STAGES[1], "done", 1.0))
        assert "queued" not in "".join(segment.text for segment in console.render(view))
    finally:
        view.medssl_run_ends(RUN, [])
