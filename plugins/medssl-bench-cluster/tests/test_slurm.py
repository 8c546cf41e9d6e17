"""The executor on a real Slurm of two nodes: the numbers of one machine, and whatever can happen to jobs.

Where Slurm's programs are not installed these tests are left out: apt-get install slurmctld slurmd slurm-client munge.
"""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docs.pages import DOCS
from docs.reader import Reader
from endurance.small_suite import traces, write_suite
from runs import SECRET, Run, jobs, long_suite, until, worker_of
from slurm_cluster import SlurmCluster, missing, running_slurm
from watched import checkpoints

from medssl_bench.store.store import Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"Slurm is not installed here: no {missing()}"),
]


@pytest.fixture(scope="module")
def slurm() -> Iterator[SlurmCluster]:
    with running_slurm() as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_is_left(slurm: SlurmCluster) -> Iterator[None]:
    """Let no run and no job of one test meet the next."""
    yield
    Run.kill_all()
    slurm.clear()


def _run(slurm: SlurmCluster, suite: Path, *settings: str, environment: dict[str, str] | None = None) -> Run:
    return Run("slurm", {**slurm.environment(), **(environment or {})}, suite, *settings)


def test_the_numbers_and_files_of_one_machine(slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]) -> None:
    suite = write_suite(place, 2)
    before = len(slurm.jobs())
    run = _run(slurm, suite)
    status, said = run.end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)
    units = run.units()
    assert len(slurm.jobs()) - before == len(units) == 3, "a pretraining, what builds on it, and what builds on none"
    assert {unit["attempt"] for unit in units.values()} == {1}
    records = list(Store(run.store).records())
    assert {record.provenance["threads"] for record in records} == {1}
    files = [file for file in (run.store / "jobs").rglob("*") if file.is_file()]
    assert files
    assert not any(SECRET in file.read_text() for file in files)
    assert not list((run.store / "runs").iterdir())
    assert _run(slurm, suite).end()[0] == 0, "nothing is left to do"
    assert len(slurm.jobs()) - before == 3


def test_a_worker_that_is_killed_is_followed_at_once_by_another_that_goes_on(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    run = _run(slurm, suite)
    unit = run.training()
    os.kill(worker_of(unit), signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: any(found.get("attempt") == 2 for found in run.units().values()))
    assert time.monotonic() - killed < 15, "the lease of a worker of another machine would be waited for a minute"
    status, said = run.end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


def test_the_job_of_a_killed_driver_is_adopted_and_is_the_only_one(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    before = len(slurm.jobs())
    first = _run(slurm, suite)
    first.training()
    first.process.kill()
    first.end()
    second = _run(slurm, suite)
    status, said = second.end()
    assert status == 0, said
    assert len(slurm.jobs()) - before == 2
    assert {unit["attempt"] for unit in second.units().values()} == {1}
    assert traces(suite, second.store) == local(suite)


def test_ctrl_c_lets_jobs_save_checkpoints_and_the_same_command_goes_on(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    run = _run(slurm, suite)
    unit = run.training()
    os.killpg(run.process.pid, signal.SIGINT)
    status, said = run.end()
    assert status == 75, said
    assert "run the same command again to go on" in said
    jobs = slurm.jobs()
    assert jobs[int(unit["handle"])] not in {"RUNNING", "PENDING"}
    assert [file.parent.name for file in checkpoints(run.store)] == ["free"], "it waits for whoever goes on"
    status, said = _run(slurm, suite).end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


def test_ctrl_c_twice_ends_jobs_at_once_and_the_same_command_goes_on(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    run = _run(slurm, suite, "checkpoint_seconds=600")  # none is due while it trains
    worker = worker_of(until(lambda: next((u for u in run.units().values() if _trains(u)), None)))
    os.kill(worker, signal.SIGSTOP)  # it could not save one if it were asked to
    os.killpg(run.process.pid, signal.SIGINT)
    time.sleep(2)
    os.killpg(run.process.pid, signal.SIGINT)
    status, said = run.end(30)
    assert status == 75, said
    until(lambda: not Path(f"/proc/{worker}").exists(), 5)  # sooner than KillWait, which a polite end would take
    assert not {"RUNNING", "PENDING"} & set(slurm.jobs().values())
    status, said = _run(slurm, suite).end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


def _trains(unit: dict[str, Any]) -> bool:
    return any("epoch" in event.get("hook", "") for event in unit["events"])


def test_a_drained_node_ends_its_job_and_gets_no_other(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    run = _run(slurm, suite)
    unit = run.training()
    node = slurm.node_of(unit["handle"])
    with slurm.drained(node):
        assert slurm.jobs()[int(unit["handle"])] == "RUNNING", "what is at work goes on"
        status, said = run.end()
        assert status == 0, said
        others = {slurm.node_of(found["handle"]) for found in run.units().values() if found["handle"] != unit["handle"]}
    assert {found["attempt"] for found in run.units().values()} == {1}
    assert others
    assert node not in others
    assert traces(suite, run.store) == local(suite)


def test_jobs_wait_for_drained_nodes_and_the_run_says_why(slurm: SlurmCluster, place: Path) -> None:
    with slurm.drained("n0,n1"):
        run = _run(slurm, write_suite(place, 2))
        until(lambda: run.units() and all(unit.get("handle") for unit in run.units().values()))
        time.sleep(5)
        assert run.process.poll() is None, run.end()
    status, said = run.end()
    assert status == 0, said
    assert re.search(r"\d queued \(.*(Nodes|Resources)", said), said


def test_a_preempted_job_saves_a_checkpoint_and_is_submitted_again(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    run = _run(slurm, suite, "partition=low")
    unit = run.training()
    script = "#!/bin/sh\nsleep 2\n"
    others = [slurm.ask("sbatch", "--parsable", "--exclusive", "-o", "/dev/null", script=script) for _ in range(2)]
    until(lambda: slurm.jobs()[int(unit["handle"])] not in {"RUNNING", "PENDING"})
    status, said = run.end()
    assert status == 0, said
    assert all(slurm.jobs()[int(number)] == "COMPLETED" for number in others)
    again = [found for found in run.units().values() if found["attempt"] > 1]
    assert again
    assert any("stopped" in event for found in again for event in found["events"])
    assert {found["fruitless"] for found in again} == {0}
    assert traces(suite, run.store) == local(suite)


def test_a_time_limit_that_is_too_short_costs_a_checkpoint_and_no_more(slurm: SlurmCluster, place: Path) -> None:
    before = set(slurm.jobs())
    run = _run(slurm, long_suite(place, 3000), "minutes=1")
    again = until(lambda: [found for found in run.units().values() if found.get("attempt", 1) > 1], 240)
    first = min(set(slurm.jobs()) - before)
    assert slurm.jobs()[first] in {"FAILED", "TIMEOUT"}, "it has left with 75, or was too late"
    assert [event for event in again[0]["events"] if "stopped" in event]
    assert again[0]["fruitless"] == 0


def test_the_stage_of_a_lost_node_goes_on_elsewhere(slurm: SlurmCluster, place: Path) -> None:
    run = _run(slurm, long_suite(place, 3000))
    unit = run.training()
    node = slurm.node_of(unit["handle"])
    with slurm.lost(node, worker_of(unit)):
        until(lambda: slurm.jobs()[int(unit["handle"])] == "NODE_FAIL", 90)
        failed = time.monotonic()
        again = until(lambda: [found for found in run.units().values() if found.get("attempt", 1) > 1], 30)
        assert time.monotonic() - failed < 15
        until(lambda: slurm.jobs()[int(again[0]["handle"])] == "RUNNING")
        assert slurm.node_of(again[0]["handle"]) != node


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["cpus=64"], r"its job can never start \(PartitionConfig\)|sbatch refuses"),
        (["mem_gb=5000"], "sbatch refuses medssl-[0-9a-f]+: .*Memory specification can not be satisfied"),
        (["partition=nowhere"], "sbatch refuses medssl-[0-9a-f]+: .*invalid partition specified: nowhere"),
        (["minutes=600"], r"its job can never start \(PartitionTimeLimit\): change what it asks for"),
        (["gpus=3"], "sbatch refuses"),
        (['options=["--no-such-option"]'], "sbatch refuses medssl-[0-9a-f]+: .*no-such-option"),
    ],
    ids=str,
)
def test_what_the_cluster_does_not_have_is_told_at_once(
    settings: list[str], message: str, slurm: SlurmCluster, place: Path
) -> None:
    suite = write_suite(place, 2)
    status, said = (run := _run(slurm, suite, *settings)).end()
    assert (status, "Traceback" in said) == (2, False), said
    assert re.search(f"error: .*{message}", said), said
    assert run.seconds < 30
    assert not {"RUNNING", "PENDING"} & set(slurm.jobs().values()), "no job is left behind"


def test_a_wrong_configuration_is_told_in_ten_seconds(slurm: SlurmCluster, place: Path) -> None:
    suite = write_suite(place, 2)
    run = _run(slurm, suite, environment={"SLURM_CONF": "/nowhere/slurm.conf"})
    status, said = run.end()
    assert status == 2
    assert "error: Slurm does not answer: scontrol gave no answer in 10 s; is its configuration right" in said
    assert run.seconds < 25


def test_programs_that_are_missing_are_named(slurm: SlurmCluster, place: Path) -> None:
    suite = write_suite(place, 2)
    status, said = _run(slurm, suite, environment={"PATH": "/nowhere"}).end()
    assert status == 2
    assert "error: sbatch, squeue, scancel, scontrol, sinfo: not on the PATH" in said


def test_detached_jobs_end_without_a_driver_and_can_be_shown_and_cancelled(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    before = len(slurm.jobs())
    run = _run(slurm, suite, "detach=true")
    status, said = run.end()
    assert status == 75, said
    assert "2 jobs go on without this process: medssl-bench jobs shows them" in said
    assert len(slurm.jobs()) - before == 2
    shown = jobs(slurm.environment(), run.store, "--json")
    assert {job["executor"] for job in json.loads(shown)} == {"slurm"}
    assert {job["state"] for job in json.loads(shown)} <= {"queued", "running"}
    run.training()
    living = [unit for unit in run.units().values() if unit["events"]]
    slurm.ask("scancel", "--signal=TERM", "--batch", *(unit["handle"] for unit in living))  # as a time limit does
    until(lambda: not [s for s in slurm.jobs().values() if s in {"RUNNING", "PENDING", "COMPLETING"}], 240)
    assert max(unit["attempt"] for unit in run.units().values()) > 1, "a worker has submitted its successor"
    assert jobs(slurm.environment(), run.store) == "no open jobs\n"
    assert traces(suite, run.store) == local(suite)


def test_jobs_without_a_driver_are_cancelled(slurm: SlurmCluster, place: Path) -> None:
    suite = long_suite(place, 3000)
    run = _run(slurm, suite, "detach=true")
    assert run.end()[0] == 75
    run.training()
    before = len(slurm.jobs())
    assert jobs(slurm.environment(), run.store, "--cancel") == "2 cancelled\n"
    assert len(slurm.jobs()) == before, "no worker has submitted a successor"
    assert not {"RUNNING", "PENDING"} & set(slurm.jobs().values())
    assert jobs(slurm.environment(), run.store) == "no open jobs\n"


def test_the_page_on_clusters_says_what_happens(
    slurm: SlurmCluster,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLURM_CONF", str(slurm.conf))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    Reader(DOCS / "how-to" / "cluster.md", capsys, monkeypatch).read()
