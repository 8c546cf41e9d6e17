"""The driver on an engine that loses jobs, answers and events, lets jobs die and shows files late."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from fake_engine import FakeEngine, Faults
from medssl_bench_cluster.driver import ClusterWarning
from medssl_bench_cluster.engine import State, Unreachable
from medssl_bench_cluster.ledger import Ledger
from medssl_bench_cluster.units import units_of

from medssl_bench.errors import UserError
from medssl_bench.executors.answer import _wrong_with
from medssl_bench.executors.remote import this_worker
from medssl_bench.stopping import Stopped
from medssl_bench.store.presence import needed_by_runs


class Killed(Exception):
    """The driver is gone at once, as by SIGKILL."""


def _units(job):
    return units_of(job.stages, {stage.key: 100.0 for stage in job.stages})


def _check(job, outcomes, watching):
    """Every stage has ended once, is said to be done only if it is, and stands in the order of the run."""
    assert not _wrong_with(outcomes, job)
    assert [outcome.stage.key for outcome in outcomes] == [stage.key for stage in job.stages]
    told = Counter(key for said, key in watching.seen if said in {"done", "failed", "blocked"})
    assert told == dict.fromkeys((stage.key for stage in job.stages), 1)
    place = {key: number for number, (said, key) in enumerate(watching.seen) if said in {"done", "failed", "blocked"}}
    assert all(place[parent] < place[stage.key] for stage in job.stages for parent in stage.parents)


def test_every_unit_is_one_job_after_those_it_builds_on(job, driver, watching):
    engine = FakeEngine(job.store, slots=2)
    outcomes = driver(job, engine).run()
    _check(job, outcomes, watching)
    assert {outcome.status for outcome in outcomes} == {"done"}
    assert len(engine.jobs) == len(_units(job))
    assert sorted(watching.of("begins")) == sorted(stage.key for stage in job.stages)
    queued = watching.of("queued Resources")
    assert len(queued) == len(set(queued)), "it is told once"
    assert len(queued) > len(job.stages) / 2
    assert Ledger(job.store.path).open() == []
    assert needed_by_runs(job.store.path) == set()
    for finished in engine.jobs:
        assert finished.submission.environment == {"OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize(
    "faults",
    [
        Faults(loses_events=0.5),
        Faults(loses_events=1.0),
        Faults(kills=0.5),
        Faults(kills=0.5, cause="preempted"),
        Faults(kills=0.5, cause="time"),
        Faults(forgets=0.3),
        Faults(silent=0.5),
        Faults(late_seconds=8.0),
        Faults(loses_events=0.4, kills=0.3, forgets=0.2, silent=0.3, late_seconds=4.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("seed", range(2))
def test_whatever_goes_wrong_all_is_done_in_the_end(faults, seed, job, driver, watching):
    engine = FakeEngine(job.store, faults=faults, seed=seed)
    outcomes = driver(job, engine).run()
    _check(job, outcomes, watching)
    assert Counter(outcome.status for outcome in outcomes) == {"done": len(job.stages)}


def test_no_more_jobs_than_are_wanted(job, driver):
    engine = FakeEngine(job.store, slots=50)
    driver(job, engine, pack_seconds=1.0, max_jobs=3).run()
    assert engine.most == 3


def test_the_engine_is_asked_less_often_while_nothing_changes(job, driver):
    engine = FakeEngine(job.store, stage_seconds=1000.0, slots=50)
    driver(job, engine, poll_seconds=5.0).run()
    assert engine.questions < (engine.now - 1000.0) / 15.0


def test_what_builds_on_a_failure_is_blocked_and_the_rest_goes_on(job, driver, watching):
    engine = FakeEngine(job.store, faults=Faults(fails="pretrain · simclr · cells · seed 0", loses_events=0.3))
    outcomes = driver(job, engine).run()
    _check(job, outcomes, watching)
    found = Counter(outcome.status for outcome in outcomes)
    assert found["failed"] == 1
    assert found["blocked"] >= 5
    assert {outcome.reason for outcome in outcomes if outcome.status == "blocked"} == {
        "pretrain · simclr · cells · seed 0 failed"
    }


def test_a_stage_that_kills_every_worker_fails_after_three_and_the_rest_of_its_pack_goes_on(job, driver, watching):
    engine = FakeEngine(job.store, faults=Faults(deadly="supervised · 40 labels · seed 0 · draw 0"))
    outcomes = driver(job, engine).run()
    _check(job, outcomes, watching)
    (failed,) = [outcome for outcome in outcomes if outcome.status != "done"]
    assert failed.status == "failed"
    assert failed.reason == "the worker process ended 3 times (NODE_FAIL) and got no further in between"
    record = job.store.failure(failed.stage.key)
    assert record is not None
    assert record.reason == failed.reason
    assert len(engine.jobs) == len(_units(job)) + 4, "one got further, three did not, and one does the rest"


@pytest.mark.parametrize("cause", ["memory", "crash"])
def test_what_would_happen_again_fails_at_once(cause, job, driver, watching):
    engine = FakeEngine(job.store, faults=Faults(deadly="supervised · 40 labels · seed 0 · draw 0", cause=cause))
    outcomes = driver(job, engine).run()
    _check(job, outcomes, watching)
    assert Counter(outcome.status for outcome in outcomes)["failed"] == 1
    assert len(engine.jobs) == len(_units(job)) + 1


def _killed_at(engine, second):
    """Let a driver die at a second of the engine's time, without a chance to say anything."""

    def pause(seconds):
        engine.pause(seconds)
        if engine.now > second:
            raise Killed

    return pause


@pytest.mark.parametrize("second", [1001.0, 1015.0, 1050.0])
@pytest.mark.parametrize("lost", [0.0, 0.5])
def test_the_jobs_of_a_lost_driver_are_adopted_and_none_is_submitted_twice(second, lost, job, driver, watching):
    engine = FakeEngine(job.store, slots=2, faults=Faults(loses_events=lost))
    first = driver(job, engine)
    first._pause = _killed_at(engine, second)
    first._leave = lambda **_: None  # it cannot do anything any more
    with pytest.raises(Killed):
        first.run()
    watching.seen.clear()
    outcomes = driver(job, engine).run()
    _check(job, outcomes, watching)
    assert {outcome.status for outcome in outcomes} == {"done"}
    assert len(engine.jobs) == len(_units(job))


def test_a_unit_whose_driver_died_before_it_had_a_job_gets_one(job, driver):
    (first, *_) = _units(job)
    notes = Ledger(job.store.path).notes(first.id)
    notes.open({"executor": {"name": "fake"}, "keys": [], "work": {}}, [])
    notes.close()
    (notes.folder / "driver").write_text(this_worker().rpartition("-")[0] + "-1")  # a process number used again
    engine = FakeEngine(job.store)
    assert {outcome.status for outcome in driver(job, engine).run()} == {"done"}
    assert len(engine.jobs) == len(_units(job))


def test_jobs_of_another_driver_that_lives_are_followed_and_not_submitted(job, driver, watching):
    """A driver of another machine: nothing is sure of it."""
    engine = FakeEngine(job.store)
    first = driver(job, engine)
    first._pause = _killed_at(engine, 1002.0)
    first._leave = lambda **_: None
    with pytest.raises(Killed):
        first.run()
    for notes in Ledger(job.store.path).open():
        (notes.folder / "driver").write_text("login2-0123456789ab-77-88")
    before = len(engine.jobs)
    assert before
    watching.seen.clear()
    second = driver(job, engine)
    second._pause = _killed_at(engine, 1003.0)
    with pytest.raises(Killed):
        second.run()
    assert len(engine.jobs) == before
    assert {(notes.folder / "driver").read_text() for notes in Ledger(job.store.path).open()} == {
        "login2-0123456789ab-77-88"
    }


def test_a_stop_lets_jobs_save_checkpoints_and_the_same_command_goes_on(job, driver, watching):
    engine = FakeEngine(job.store, slots=2)
    first = driver(job, engine)
    stops = iter([None] * 20)

    def pause(seconds):
        engine.pause(seconds)
        if next(stops, "now") == "now" and not engine.cancelled:
            raise Stopped

    first._pause = pause
    with pytest.raises(Stopped):
        first.run()
    assert engine.cancelled
    assert all(job.state.phase == "over" for job in engine.jobs)
    assert Ledger(job.store.path).open() == []
    watching.seen.clear()
    outcomes = driver(job, engine).run()
    assert {outcome.status for outcome in outcomes} == {"done"}


def test_a_second_stop_kills_them(job, driver, monkeypatch):
    engine = FakeEngine(job.store, slots=2, stage_seconds=1e6)
    calls = []
    plain = engine.cancel
    monkeypatch.setattr(engine, "cancel", lambda handles, *, now=False: (calls.append(now), plain(handles, now=now)))
    first = driver(job, engine)

    def pause(seconds):
        engine.pause(seconds)
        if engine.now > 1010:
            raise Stopped

    first._pause = pause
    with pytest.raises(Stopped):
        first.run()
    assert calls == [False, True]
    assert all(job.state.phase == "over" for job in engine.jobs)


def test_a_job_that_can_never_start_ends_the_run_at_once(job, driver):
    engine = FakeEngine(job.store, slots=0)
    plain = engine.submit

    def submit(submission):
        handle = plain(submission)
        engine.jobs[-1].state = State("queued", "PartitionTimeLimit", hopeless=True)
        return handle

    engine.submit = submit
    with pytest.raises(UserError, match=r"its job can never start \(PartitionTimeLimit\): change what it asks for"):
        driver(job, engine).run()
    assert engine.now < 1030
    assert len(engine.cancelled) == len(engine.jobs)


def _stages(job):
    return len(json.loads((job.folder / "job.json").read_text())["keys"])


def test_a_job_that_somebody_cancelled_is_not_submitted_again(job, driver, watching):
    engine = FakeEngine(job.store, slots=1)
    begun = driver(job, engine)
    plain = engine.pause

    def pause(seconds):
        plain(seconds)
        packs = [str(n) for n, job in enumerate(engine.jobs) if job.state.phase == "running" and _stages(job) > 3]
        if packs and not engine.cancelled:
            engine.cancel(packs)

    begun._pause = pause
    outcomes = begun.run()
    _check(job, outcomes, watching)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    assert {outcome.reason for outcome in failed} == {"its job was cancelled (CANCELLED): run again to do it"}
    assert all(job.store.failure(outcome.stage.key) is None for outcome in failed), "another run does them"


def test_a_job_that_was_cancelled_by_hand_in_the_ledger_is_not_submitted_again(job, driver, watching):
    engine = FakeEngine(job.store, slots=1)
    begun = driver(job, engine)
    plain, cancelled = engine.pause, []

    def pause(seconds):
        plain(seconds)
        packs = [job for job in engine.jobs if job.state.phase == "running" and _stages(job) > 3]
        if packs and not cancelled:
            cancelled.append(packs[0])
            packs[0].state = State("over", "FAILED, status 75", cause="crash")
            Ledger(job.store.path).notes(packs[0].folder.name).close()

    begun._pause = pause
    outcomes = begun.run()
    _check(job, outcomes, watching)
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    assert {outcome.reason for outcome in failed} == {"its job was cancelled (FAILED, status 75): run again to do it"}
    assert len(engine.jobs) == len(_units(job))


@pytest.mark.parametrize("detach", [False, True])
def test_jobs_that_somebody_cancelled_before_a_run_are_submitted_again(detach, job, driver):
    engine = FakeEngine(job.store, slots=20, stage_seconds=100.0)
    with pytest.warns(ClusterWarning, match="jobs go on"), pytest.raises(Stopped):
        driver(job, engine, detach=True).run()
    number = len(engine.jobs)
    engine.cancel([str(each) for each in range(number)])
    again = driver(job, engine, detach=detach)
    if detach:
        with pytest.warns(ClusterWarning, match=f"^{number} jobs go on"), pytest.raises(Stopped):
            again.run()
        assert all(submitted.state.phase != "over" for submitted in engine.jobs[number:])
        assert [len(each.submission.after) for each in engine.jobs[number:]] == [
            len(each.submission.after) for each in engine.jobs[:number]
        ]
    else:
        assert {outcome.status for outcome in again.run()} == {"done"}
    assert len(engine.jobs) == 2 * number, "none began before those it builds on were done"


def test_a_silent_engine_is_told_of_once_and_asked_again(job, driver, watching):
    engine = FakeEngine(job.store, stage_seconds=100.0)
    plain = engine.states

    def states(handles):
        if 1010 < engine.now < 1400:
            raise Unreachable("socket timed out")
        return plain(handles)

    engine.states = states
    with pytest.warns(ClusterWarning, match="the cluster gives no answer: socket timed out") as told:
        outcomes = driver(job, engine).run()
    assert len(told) == 1
    _check(job, outcomes, watching)
    assert {outcome.status for outcome in outcomes} == {"done"}


def test_units_of_another_engine_are_left_to_it(job, driver):
    unit = _units(job)[0]
    notes = Ledger(job.store.path).notes(unit.id)
    notes.open({"executor": {"name": "other"}, "keys": sorted(unit.keys)}, sorted(unit.keys))
    with pytest.raises(UserError, match="is with the executor 'other': follow it with --executor other"):
        driver(job, FakeEngine(job.store)).run()


def test_detached_jobs_wait_for_those_they_build_on_and_a_later_run_finds_them_done(job, driver, watching):
    engine = FakeEngine(job.store, slots=2)
    units = _units(job)
    detached = driver(job, engine, detach=True)
    text = f"^{len(units)} jobs go on without this process: medssl-bench jobs shows them$"
    with pytest.warns(ClusterWarning, match=text), pytest.raises(Stopped):
        detached.run()
    assert len(engine.jobs) == len(units)
    assert engine.cancelled == []
    needed = {key for unit in units for key in unit.keys | unit.parents}
    assert needed_by_runs(job.store.path) == needed
    handles = {key: str(number) for number, unit in enumerate(units) for key in unit.keys}
    for unit, submitted in zip(units, engine.jobs, strict=True):
        assert set(submitted.submission.after) == {handles[parent] for parent in unit.parents}
    for _ in range(500):
        engine.pause(1.0)
    assert all(job.store.is_done(stage.key) for stage in job.stages)
    outcomes = driver(job, engine).run()
    assert all(outcome.elsewhere and outcome.status == "done" for outcome in outcomes)
    assert len(engine.jobs) == len(units)


def test_the_ledger_holds_no_environment(job, driver, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "do-not-write-me-down")
    engine = FakeEngine(job.store)
    driver(job, engine).run()
    files = [file for file in (job.store.path / "jobs").rglob("*") if file.is_file()]
    assert len(files) > 10
    assert not any("do-not-write-me-down" in file.read_text() for file in files)
    assert json.loads((files[0].parent / "job.json").read_text())["work"]["store"] == str(job.store.path)
