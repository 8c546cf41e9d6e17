"""What is done about a job that is over with stages left: announced preemptions never count, progress starts anew."""

from __future__ import annotations

import pytest
from medssl_bench_cluster.fate import Ending, verdict


@pytest.mark.parametrize(
    ("ending", "what", "fruitless"),
    [
        (Ending("stopped", cause="preempted", fruitless=2), "again", 2),
        (Ending("", cause="preempted", fruitless=2), "again", 2),
        (Ending("stopped", cause="time", got_further=True, fruitless=2), "again", 0),
        (Ending("stopped", cause="time", fruitless=0), "again", 1),
        (Ending("stopped", cause="time", fruitless=2), "failed", 0),
        (Ending("", cause="lost"), "again", 1),
        (Ending("", cause="lost", fruitless=2), "failed", 0),
        (Ending("", cause="lost", got_further=True, fruitless=2), "again", 0),
        (Ending("", cause="memory", why="OUT_OF_MEMORY"), "failed", 0),
        (Ending("", cause="crash"), "failed", 0),
        (Ending("", cause="crash", spoke=False), "again", 1),
        (Ending("", cause="crash", spoke=False, fruitless=2), "refuse", 0),
        (Ending("stopped", cause="crash", why="FAILED, status 75"), "again", 1),
        (Ending("", cause="cancelled"), "cancelled", 0),
        (Ending("stopped", cause="cancelled"), "cancelled", 0),
        (Ending("left", cause=""), "again", 1),
    ],
)
def test_verdict(ending, what, fruitless):
    found = verdict(ending)
    assert (found.what, found.fruitless) == (what, fruitless)


def test_reasons_say_what_to_do():
    assert verdict(Ending("", cause="memory", why="OUT_OF_MEMORY")).how == (
        "had too little memory (OUT_OF_MEMORY): give more with mem_gb"
    )
    assert "give more minutes" in verdict(Ending("stopped", cause="time", why="TIMEOUT", fruitless=2)).how
    assert verdict(Ending("", cause="lost", why="NODE_FAIL", fruitless=2)).how == (
        "ended 3 times (NODE_FAIL) and got no further in between"
    )
