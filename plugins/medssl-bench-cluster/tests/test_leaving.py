"""How jobs are asked to end: politely, again if one was about to start, and at once when a stop is asked for twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from medssl_bench_cluster.engine import State, Unreachable
from medssl_bench_cluster.leaving import cancel_and_wait
from medssl_bench_cluster.ledger import Ledger

from medssl_bench.stopping import Stopped


class Slow:
    """An engine whose jobs end some looks after they were asked, and whose answers are lost now and then."""

    def __init__(self, looks: int) -> None:
        self.asked: list[bool] = []
        self._looks, self._number = looks, 0

    def check(self) -> None: ...

    def submit(self, submission) -> str:
        raise NotImplementedError

    def states(self, handles):
        self._number += 1
        if self._number % 2:
            raise Unreachable
        return {handle: State("over" if self._number > self._looks else "running") for handle in handles}

    def cancel(self, handles, *, now=False) -> None:  # noqa: ARG002
        self.asked.append(now)
        if not now and len(self.asked) == 1:
            raise Unreachable


def _jobs(tmp_path: Path):
    found = []
    for unit in ("a", "b"):
        notes = Ledger(tmp_path).notes(unit)
        notes.open({}, [])
        found.append((notes, unit))
    return found


def test_they_are_waited_for_and_asked_again(tmp_path):
    engine = Slow(looks=20)
    jobs = _jobs(tmp_path)
    assert cancel_and_wait(engine, jobs, 60.0, lambda _: None)
    assert engine.asked == [False, False]
    assert Ledger(tmp_path).open() == []


def test_those_that_do_not_end_in_time_stay_open(tmp_path):
    assert not cancel_and_wait(Slow(looks=10**9), _jobs(tmp_path), 0.0, lambda _: None)
    assert len(Ledger(tmp_path).open()) == 2


def test_a_second_stop_kills_them(tmp_path):
    engine = Slow(looks=10**9)

    def pause(_seconds):
        raise Stopped

    with pytest.raises(Stopped):
        cancel_and_wait(engine, _jobs(tmp_path), 60.0, pause)
    assert engine.asked == [False, True]
    assert Ledger(tmp_path).open() == []


def test_no_jobs_are_no_question(tmp_path):
    engine = Slow(0)
    assert cancel_and_wait(engine, [], 60.0)
    assert engine.asked == []
