"""Arms in turns, and what is made of their times."""

from __future__ import annotations

import pytest

from benchmarks.race import Entry, Times, race
from benchmarks.tables import race_table


def times(label: str, *seconds: float, batch: int = 100) -> Times:
    return Times(Entry(label, "ready", {"batch": batch}), seconds)


def test_speed_is_that_of_the_median_round():
    found = times("a", 1.0, 4.0, 2.0)

    assert found.milliseconds == 2000
    assert found.speed == 50
    assert found.spread == 1.5


def test_ratios_are_of_the_same_round():
    """A round in which the machine is slow slows both."""
    assert times("a", 1.0, 10.0, 2.0).times_as_fast_as(times("b", 3.0, 30.0, 6.0)) == 3


def test_ratios_are_image_by_image():
    assert times("a", 1.0, batch=200).times_as_fast_as(times("b", 1.0, batch=100)) == 2


def test_a_table_has_a_column_for_each_reference():
    arms = [times("fast", 0.1, 0.1), times("slow", 0.2, 0.2)]

    text = race_table(arms, {"x slow": arms[1]})

    assert text.splitlines() == [
        "|  | images/s | ms a step | spread | x slow |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| fast | 1,000 | 100.0 | 0% | 2.00 |",
        "| slow | 500 | 200.0 | 0% | 1.00 |",
    ]


@pytest.mark.slow
def test_every_arm_runs():
    small = {"batch": 8, "images": 16, "precision": "float32"}
    arms = ("harness", "ready", "kornia_loop", "lightly_recipe", "fine_tuning", "fine_tuning_ready")

    found = race([Entry(arm, arm, small, steps=1) for arm in arms], rounds=1)

    assert [len(each.seconds) for each in found] == [1] * 6
    assert all(0 < seconds < 60 for each in found for seconds in each.seconds)


def test_an_arm_that_cannot_be_made_ends_in_one_line(capfd):
    with pytest.raises(SystemExit, match="odd: its process ended with status 1; see above"):
        race([Entry("odd", "no such arm")], rounds=1)

    assert "there is no arm 'no such arm'" in capfd.readouterr().err
