"""The executor on a real Slurm of two nodes: the numbers of one machine, and whatever can happen to jobs.

Where Slurm's programs are not installed these tests are left out: apt-get install slurmctld slurmd slurm-client munge.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from docs.pages import DOCS
from docs.reader import Reader
from endurance.small_suite import traces, write_suite
from slurm_cluster import SlurmCluster, missing, running_slurm

from medssl_bench.store.store import Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing()), reason=f"Slurm is not installed here: no {missing()}"),
]

OPTIONS = ("cpus=1", "poll_seconds=1", "lag_seconds=4", "checkpoint_seconds=1")
LONG = """\
schema = 1
name = "long"
seeds = [0]
floors = []

[encoder.small]
name = "timm"
model = "test_resnet"

[pretraining.crops]
encoder = "small"
augmentation = ["resized_crop", "horizontal_flip"]
epochs = EPOCHS
batch_size = 40

[[comparison]]
id = "long"
datasets = [{ name = "phantom_cells", train = 120, val = 40, test = 60 }]
labels = [80]
encoder = "small"

  [[comparison.arm]]
  name = "k-NN"
  pretraining = ["crops"]
  evaluator = "knn"
"""
"""A training that takes a few seconds, so that it is at work when something happens to it, and what builds on it."""


def _long(folder: Path, epochs: int = 40) -> Path:
    file = folder / "long.toml"
    file.write_text(LONG.replace("EPOCHS", str(epochs)))
    return file


@pytest.fixture(scope="module")
def slurm() -> Iterator[SlurmCluster]:
    with running_slurm() as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_is_left(slurm: SlurmCluster) -> Iterator[None]:
    """Let no run and no job of one test meet the next."""
    yield
    for run in Run.started:
        if run.process.poll() is None:
            run.process.kill()
            run.process.communicate()
    Run.started.clear()
    slurm.clear()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose name a shell would read in another way, and Slurm too."""
    found = tmp_path / "it's 50%j $HOME"
    found.mkdir()
    return found


class Run:
    """A run, as a user starts it."""

    started: ClassVar[list[Run]] = []

    def __init__(self, slurm: SlurmCluster, suite: Path, *settings: str, environment: dict[str, str] | None = None):
        options = [part for setting in (*OPTIONS, *settings) for part in ("--executor-set", setting)]
        command = [sys.executable, "-m", "medssl_bench", "run", suite.name, "--device", "cpu", "--executor", "slurm"]
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background inherits that it is ignored
        self.store = suite.parent / "store"
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*command, *options],
            cwd=suite.parent,
            env={**slurm.environment(), "SECRET_TOKEN": "do-not-write-me-down", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        self.started.append(self)

    def end(self, seconds: float = 120.0) -> tuple[int, str]:
        """Wait for it; return its status and what it said."""
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, _ = self.process.communicate()
            pytest.fail(f"it has not ended:\n{out}")
        return self.process.returncode, out

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def units(self) -> dict[str, dict[str, Any]]:
        """Return the handle and the events of each unit."""
        found = {}
        for folder in (self.store / "jobs").iterdir() if (self.store / "jobs").exists() else ():
            events = [json.loads(line) for line in _read(folder / "events.jsonl").splitlines()]
            found[folder.name] = {"events": events, **json.loads(_read(folder / "handle") or "{}")}
        return found


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def _until(found: Callable[[], Any], seconds: float = 120.0) -> Any:
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "that does not happen"
        time.sleep(0.1)
    return value


def _training(run: Run) -> dict[str, Any]:
    """Wait until a job trains, and has saved a checkpoint; return its unit."""

    def found():
        assert run.process.poll() in {None, 75}, run.end()
        saved = _saved(run.store)
        living = [
            unit
            for unit in run.units().values()
            if unit["events"] and not {"end", "stopped"} & unit["events"][-1].keys()
        ]
        return living[0] if saved and living else None

    return _until(found)


def _saved(store: Path) -> list[Path]:
    """Return the checkpoints, while others come and go."""
    with suppress(FileNotFoundError):
        return list((store / "work").glob("*/*/checkpoint.txt"))
    return []


def _worker(unit: dict[str, Any]) -> int:
    return int(unit["events"][-1]["worker"].split("-")[2])


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Any]:
    """Return a function that gives what a suite gives on one machine, with one thread; each is run once."""

    @cache
    def found(text: str) -> Any:
        suite = tmp_path_factory.mktemp("local") / "suite.toml"
        suite.write_text(text)
        command = [sys.executable, "-m", "medssl_bench", "run", suite.name, "--device", "cpu", "--executor", "local"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=suite.parent, env=environment, check=True, capture_output=True, timeout=200)
        return traces(suite, suite.parent / "store")

    return lambda suite: found(suite.read_text())


def test_the_numbers_and_files_of_one_machine(slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]) -> None:
    suite = write_suite(place, 2)
    before = len(slurm.jobs())
    run = Run(slurm, suite)
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
    assert not any("do-not-write-me-down" in file.read_text() for file in files)
    assert not list((run.store / "runs").iterdir())
    assert Run(slurm, suite).end()[0] == 0, "nothing is left to do"
    assert len(slurm.jobs()) - before == 3


def test_a_worker_that_is_killed_is_followed_at_once_by_another_that_goes_on(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = _long(place)
    run = Run(slurm, suite)
    unit = _training(run)
    os.kill(_worker(unit), signal.SIGKILL)
    killed = time.monotonic()
    _until(lambda: any(found.get("attempt") == 2 for found in run.units().values()))
    assert time.monotonic() - killed < 15, "the lease of a worker of another machine would be waited for a minute"
    status, said = run.end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


def test_the_job_of_a_killed_driver_is_adopted_and_is_the_only_one(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = _long(place)
    before = len(slurm.jobs())
    first = Run(slurm, suite)
    _training(first)
    first.process.kill()
    first.end()
    second = Run(slurm, suite)
    status, said = second.end()
    assert status == 0, said
    assert len(slurm.jobs()) - before == 2
    assert {unit["attempt"] for unit in second.units().values()} == {1}
    assert traces(suite, second.store) == local(suite)


def test_ctrl_c_lets_jobs_save_checkpoints_and_the_same_command_goes_on(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = _long(place)
    run = Run(slurm, suite)
    unit = _training(run)
    os.killpg(run.process.pid, signal.SIGINT)
    status, said = run.end()
    assert status == 75, said
    assert "run the same command again to go on" in said
    jobs = slurm.jobs()
    assert jobs[int(unit["handle"])] not in {"RUNNING", "PENDING"}
    assert [file.parent.name for file in _saved(run.store)] == ["free"], "it waits for whoever goes on"
    status, said = Run(slurm, suite).end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


def test_a_preempted_job_saves_a_checkpoint_and_is_submitted_again(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = _long(place)
    run = Run(slurm, suite, "partition=low")
    unit = _training(run)
    script = "#!/bin/sh\nsleep 2\n"
    others = [slurm.ask("sbatch", "--parsable", "--exclusive", "-o", "/dev/null", script=script) for _ in range(2)]
    _until(lambda: slurm.jobs()[int(unit["handle"])] not in {"RUNNING", "PENDING"})
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
    run = Run(slurm, _long(place, 3000), "minutes=1")
    again = _until(lambda: [found for found in run.units().values() if found.get("attempt", 1) > 1], 240)
    first = min(set(slurm.jobs()) - before)
    assert slurm.jobs()[first] in {"FAILED", "TIMEOUT"}, "it has left with 75, or was too late"
    assert [event for event in again[0]["events"] if "stopped" in event]
    assert again[0]["fruitless"] == 0


def test_the_stage_of_a_lost_node_goes_on_elsewhere(slurm: SlurmCluster, place: Path) -> None:
    run = Run(slurm, _long(place, 3000))
    unit = _training(run)
    node = slurm.ask("squeue", "-h", "-j", unit["handle"], "-o", "%N")
    with slurm.lost(node, _worker(unit)):
        _until(lambda: slurm.jobs()[int(unit["handle"])] == "NODE_FAIL", 90)
        failed = time.monotonic()
        again = _until(lambda: [found for found in run.units().values() if found.get("attempt", 1) > 1], 30)
        assert time.monotonic() - failed < 15
        _until(lambda: slurm.jobs()[int(again[0]["handle"])] == "RUNNING")
        assert slurm.ask("squeue", "-h", "-j", again[0]["handle"], "-o", "%N") != node


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
    status, said = (run := Run(slurm, suite, *settings)).end()
    assert (status, "Traceback" in said) == (2, False), said
    assert re.search(f"error: .*{message}", said), said
    assert run.seconds < 30
    assert not {"RUNNING", "PENDING"} & set(slurm.jobs().values()), "no job is left behind"


def test_a_wrong_configuration_is_told_in_ten_seconds(slurm: SlurmCluster, place: Path) -> None:
    suite = write_suite(place, 2)
    run = Run(slurm, suite, environment={"SLURM_CONF": "/nowhere/slurm.conf"})
    status, said = run.end()
    assert status == 2
    assert "error: Slurm does not answer: scontrol gave no answer in 10 s; is its configuration right" in said
    assert run.seconds < 25


def test_programs_that_are_missing_are_named(slurm: SlurmCluster, place: Path) -> None:
    suite = write_suite(place, 2)
    status, said = Run(slurm, suite, environment={"PATH": "/nowhere"}).end()
    assert status == 2
    assert "error: sbatch, squeue, scancel, scontrol, sinfo: not on the PATH" in said


def test_detached_jobs_end_without_a_driver_and_can_be_shown_and_cancelled(
    slurm: SlurmCluster, place: Path, local: Callable[[Path], Any]
) -> None:
    suite = _long(place)
    before = len(slurm.jobs())
    run = Run(slurm, suite, "detach=true")
    status, said = run.end()
    assert status == 75, said
    assert "2 jobs go on without this process: medssl-bench jobs shows them" in said
    assert len(slurm.jobs()) - before == 2
    shown = _jobs(slurm, run.store, "--json")
    assert {job["executor"] for job in json.loads(shown)} == {"slurm"}
    assert {job["state"] for job in json.loads(shown)} <= {"queued", "running"}
    _training(run)
    living = [unit for unit in run.units().values() if unit["events"]]
    slurm.ask("scancel", "--signal=TERM", "--batch", *(unit["handle"] for unit in living))  # as a time limit does
    _until(lambda: not [s for s in slurm.jobs().values() if s in {"RUNNING", "PENDING", "COMPLETING"}], 240)
    assert max(unit["attempt"] for unit in run.units().values()) > 1, "a worker has submitted its successor"
    assert _jobs(slurm, run.store) == "no open jobs\n"
    assert traces(suite, run.store) == local(suite)


def test_jobs_that_nobody_follows_are_cancelled(slurm: SlurmCluster, place: Path) -> None:
    suite = _long(place, 3000)
    run = Run(slurm, suite, "detach=true")
    assert run.end()[0] == 75
    _training(run)
    before = len(slurm.jobs())
    assert _jobs(slurm, run.store, "--cancel") == "2 cancelled\n"
    assert len(slurm.jobs()) == before, "no worker has submitted a successor"
    assert not {"RUNNING", "PENDING"} & set(slurm.jobs().values())
    assert _jobs(slurm, run.store) == "no open jobs\n"


def _jobs(slurm: SlurmCluster, store: Path, *options: str) -> str:
    command = [sys.executable, "-m", "medssl_bench", "jobs", "--store", str(store), *options]
    done = subprocess.run(
        command, env=slurm.environment(), capture_output=True, text=True, check=False, timeout=200, cwd=store.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
