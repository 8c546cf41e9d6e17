"""How long a run will still take: it moves while a stage is at work."""

from __future__ import annotations

import pytest

from medssl_bench.plugin.watching import Epoch, StageInfo
from medssl_bench.progress.time_left import TimeLeft

STAGES = [StageInfo("a", "pretrain", "a", 100.0), StageInfo("b", "evaluate", "b", 50.0)]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def left(clock: Clock) -> TimeLeft:
    return TimeLeft(STAGES, clock)


def test_it_moves_within_a_stage_that_reports_nothing(left: TimeLeft, clock: Clock) -> None:
    assert left.seconds() == 150
    left.begins("a")
    clock.now += 30
    assert left.seconds() == pytest.approx(120)
    assert left.words() == "about 2 min 0 s left"


def test_a_stage_that_takes_longer_than_expected_is_told_as_that(left: TimeLeft, clock: Clock) -> None:
    left.begins("a")
    clock.now += 130
    assert left.seconds() == pytest.approx(50), "of the other"
    assert left.words() == "over 50 s left"
    alone = TimeLeft(STAGES[:1], clock)
    alone.begins("a")
    clock.now += 130
    assert alone.words() == "longer than expected"


def test_a_stage_is_judged_by_its_own_speed(left: TimeLeft, clock: Clock) -> None:
    """A tenth has taken 20 s, not 10: 180 s are left of it, and between two epochs the time moves on."""
    left.begins("a")
    left.epoch("a", Epoch(0, 10), ended=False)
    clock.now += 20
    left.epoch("a", Epoch(0, 10, {"loss": 1.0}), ended=True)
    assert left.of("a") == pytest.approx(180)
    assert left.seconds() == pytest.approx(180 + 50)
    clock.now += 7
    assert left.seconds() == pytest.approx(173 + 50)


def test_a_training_that_goes_on_from_a_checkpoint(left: TimeLeft, clock: Clock) -> None:
    left.begins("a")
    clock.now += 5  # it reads the checkpoint
    left.epoch("a", Epoch(50, 100), ended=False)
    assert left.of("a") is None
    clock.now += 1
    left.epoch("a", Epoch(50, 100, {"loss": 1.0}), ended=True)
    assert left.of("a") == pytest.approx(49)


def test_finished_stages_correct_the_others(left: TimeLeft, clock: Clock) -> None:
    left.begins("a")
    clock.now += 210
    left.ends("a")
    assert left.seconds() == pytest.approx(50 * (10 + 210) / (10 + 100))


def test_a_stage_that_was_not_done_here_corrects_nothing(left: TimeLeft) -> None:
    left.ends("a")
    assert left.seconds() == 50


def test_stages_at_work_at_a_time_share_the_rest(clock: Clock) -> None:
    left = TimeLeft([StageInfo(name, "evaluate", name, 60.0) for name in "abcd"], clock)
    left.begins("a")
    left.begins("b")
    assert left.seconds() == pytest.approx(120), "two at a time"
    clock.now += 60
    for name in "ab":
        left.ends(name)
    left.begins("c")
    left.ends("d")
    assert left.seconds() == pytest.approx(60), "no less than the longest at work"
