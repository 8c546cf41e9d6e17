"""Jobs that are stopped on a real Slurm: by Ctrl-C, by jobs that go first, by their time limit, and by their user."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from endurance.small_suite import traces
from long import LONG
from runs import Run, begin_jobs, go_on, is_alive, is_asked_to_end, jobs, until, worker_of
from slurm_cluster import SlurmCluster, missing
from watched import checkpoints

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.skipif(bool(missing()), reason=missing())]


@LONG
def test_ctrl_c_lets_jobs_save_checkpoints_twice_kills_them_and_the_same_command_goes_on(
    slurm: SlurmCluster, suite: Path, local: Callable[[Path], Any]
) -> None:
    run = Run("slurm", slurm.environment(), suite)
    unit = run.training()
    run.interrupt()
    status, said = run.end()
    assert status == 75, said
    assert "run the same command again to go on" in said
    until(lambda: not slurm.living(), 60)
    assert [file.parent.name for file in checkpoints(run.store)] == ["free"], "it waits for whoever goes on"

    run = Run("slurm", slurm.environment(), suite, "checkpoint_seconds=600")  # none is due while it trains
    worker = worker_of(run.training(but=unit))
    run.interrupt_twice(worker)
    until(lambda: not is_alive(worker), 20)  # sooner than KillWait, which a polite end would take
    until(lambda: not slurm.living(), 60)

    status, said = Run("slurm", slurm.environment(), suite).end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


@LONG
def test_preemption_and_a_time_limit_cost_a_checkpoint_and_no_more(
    slurm: SlurmCluster, suite: Path, local: Callable[[Path], Any]
) -> None:
    run = Run("slurm", slurm.environment(), suite, "partition=low", "minutes=10")
    unit = run.training()
    script = "#!/bin/sh\nsleep 2\n"
    others = [slurm.ask("sbatch", "--parsable", "--exclusive", "-o", "/dev/null", script=script) for _ in range(2)]

    unit = run.training(but=unit)
    assert (unit["attempt"], unit["fruitless"]) == (2, 0)
    assert {slurm.jobs()[int(number)] for number in others} == {"COMPLETED"}
    worker = worker_of(unit)
    os.kill(worker, signal.SIGSTOP)  # it has work left when its time is up
    slurm.end_of_time(unit["handle"], 50)
    until(lambda: is_asked_to_end(worker))
    go_on(worker)

    unit = run.training(but=unit)
    assert (unit["attempt"], unit["fruitless"]) == (3, 0)
    assert sum("stopped" in event for event in unit["events"]) == 2
    status, said = run.end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


@LONG
def test_jobs_without_a_driver_go_on_until_they_end_or_are_cancelled(
    slurm: SlurmCluster, suite: Path, local: Callable[[Path], Any]
) -> None:
    detached = ("detach=true", "minutes=5")
    run = Run("slurm", slurm.environment(), suite, *detached)
    status, said = run.end()
    assert status == 75, said
    assert "2 jobs go on without this process: medssl-bench jobs shows them" in said
    shown = json.loads(jobs(slurm.environment(), run.store, "--json"))
    assert {job["executor"] for job in shown} == {"slurm"}
    assert {job["state"] for job in shown} <= {"queued", "running"}

    unit = run.training()
    os.kill(worker_of(unit), signal.SIGSTOP)  # it has work left when its time is up; then Slurm lets it go on
    slurm.end_of_time(unit["handle"], 1)
    again = run.training(but=unit)
    assert (again["attempt"], again["fruitless"]) == (2, 0), "the worker has submitted its successor"
    until(lambda: slurm.jobs()[int(unit["handle"])] == "TIMEOUT")

    slurm.ask("scancel", again["handle"])
    until(lambda: not slurm.living())
    assert run.attempts() == 2, "a job that its user has cancelled has no successor"
    assert jobs(slurm.environment(), run.store) == "no open jobs\n"

    run = Run("slurm", slurm.environment(), suite, *detached)
    assert run.end()[0] == 75
    unit, before = run.training(but=again), len(slurm.jobs())
    os.kill(worker_of(unit), signal.SIGSTOP)
    cancelling = begin_jobs(slurm.environment(), run.store, "--cancel")
    until(lambda: is_asked_to_end(worker_of(unit)))
    go_on(worker_of(unit))
    out, err = cancelling.communicate(timeout=400)
    assert out == "2 cancelled\n", err
    until(lambda: not slurm.living(), 60)
    assert len(slurm.jobs()) == before, "no worker has submitted a successor"
    assert jobs(slurm.environment(), run.store) == "no open jobs\n"

    run = Run("slurm", slurm.environment(), suite, *detached)
    assert run.end()[0] == 75
    until(lambda: not slurm.living(), 400)
    assert jobs(slurm.environment(), run.store) == "no open jobs\n"
    assert traces(suite, run.store) == local(suite)
