"""Arms in turns, and what is made of their times."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.arms import MODULES
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


SMALL = {"batch": 8, "images": 16, "precision": "float32"}

EVERY_ARM = f"""
from benchmarks.arms import MODULES, make

for name in MODULES:
    print(name, make(name, {SMALL})(1))
"""


@pytest.mark.slow
def test_every_arm_runs():
    """All in one process: each of its own would import the same libraries."""
    done = subprocess.run([sys.executable, "-c", EVERY_ARM], stdout=subprocess.PIPE, text=True, check=True, timeout=300)

    found = dict(line.split() for line in done.stdout.splitlines() if line.split()[0] in MODULES)
    assert found.keys() == set(MODULES)
    assert all(0 < float(seconds) < 60 for seconds in found.values())


@pytest.mark.slow
def test_arms_run_in_turns_in_processes_of_their_own():
    found = race([Entry(arm, arm, SMALL, steps=1) for arm in ("ready", "fine_tuning_ready")], rounds=2)

    assert [len(each.seconds) for each in found] == [2, 2]
    assert all(0 < seconds < 60 for each in found for seconds in each.seconds)


def test_an_arm_that_cannot_be_made_ends_in_one_line(capfd):
    with pytest.raises(SystemExit, match="odd: its process ended with status 1; see above"):
        race([Entry("odd", "no such arm")], rounds=1)

    assert "there is no arm 'no such arm'" in capfd.readouterr().err
