"""What a log says of a stage that takes long."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from medssl_bench.plugin.watching import Epoch, Outcome, RunInfo, StageInfo
from medssl_bench.progress import lines as module
from medssl_bench.progress.lines import PlainLines

STAGE = StageInfo("0" * 64, "pretrain", "pretrain · nat", None)


RUN = RunInfo("suite", Path("store"), (STAGE, StageInfo("1" * 64, "evaluate", "probe", 600.0)), 3)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time; a test moves it on."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def shown(now: list[float], log: io.StringIO) -> PlainLines:
    """What shows a run in a log."""
    return PlainLines(Console(file=log, width=200))


def _trains(shown: PlainLines, now: list[float], first: int = 0) -> None:
    """Train ten epochs of 25 seconds, or those from `first` on."""
    shown.medssl_stage_begins(STAGE)
    for index in range(first, 10):
        shown.medssl_epoch_begins(STAGE, Epoch(index, 10))
        now[0] += 25
        shown.medssl_epoch_ends(STAGE, Epoch(index, 10, {"loss": 4.5}, 300.0))


def test_a_line_a_minute_with_the_time_left(shown: PlainLines, now: list[float], log: io.StringIO) -> None:
    _trains(shown, now)
    assert log.getvalue().splitlines() == [
        "[1/0] pretrain · nat",
        "    epoch 3 of 10  loss 4.500  about 2 min 55 s left",
        "    epoch 6 of 10  loss 4.500  about 1 min 40 s left",
        "    epoch 9 of 10  loss 4.500  about 25 s left",
    ]


def test_a_training_that_goes_on_from_its_middle(shown: PlainLines, now: list[float], log: io.StringIO) -> None:
    _trains(shown, now, first=5)
    assert log.getvalue().splitlines()[1] == "    epoch 8 of 10  loss 4.500  about 50 s left"


def test_failures_are_counted(shown: PlainLines, now: list[float], log: io.StringIO) -> None:
    first, second = RUN.stages
    outcomes = [Outcome(first, "failed", 5.0, reason="no"), Outcome(second, "blocked", reason="it")]
    shown.medssl_run_begins(RUN)
    shown.medssl_stage_begins(first)
    now[0] += 5
    for outcome in outcomes:
        shown.medssl_stage_ends(outcome.stage, outcome)
    shown.medssl_run_ends(RUN, outcomes)
    lines = log.getvalue().splitlines()
    assert lines[2] == "    failed in 5 s  no  (about 10 min 0 s left, 1 failed so far)"
    assert lines[-1] == "suite: 0 done, 1 failed, 1 blocked in 5 s"
