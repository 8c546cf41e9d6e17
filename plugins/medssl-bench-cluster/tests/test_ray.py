"""The executor on a real Ray of a head and two nodes: the numbers of one machine, and whatever can happen to jobs.

Where Ray is not installed these tests are left out: pip install 'medssl-bench-cluster[ray]'.
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
from medssl_bench_cluster.engine import Resources, Submission, Unreachable
from medssl_bench_cluster.ray_engine import RayEngine
from ray_cluster import MISSING, RayCluster, running_ray
from runs import SECRET, Run, jobs, long_suite, until, worker_of
from watched import checkpoints

from medssl_bench.store.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with running_ray() as found:
        yield found


@pytest.fixture
def ray(cluster: RayCluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[RayCluster]:
    """A whole Ray, for this process too."""
    cluster.mend()
    for name, value in cluster.environment().items():
        monkeypatch.setenv(name, value)
    yield cluster
    Run.kill_all()


@pytest.fixture
def start(ray: RayCluster) -> Callable[..., Run]:
    return lambda suite, *settings: Run("ray", ray.environment(), suite, *settings)


def test_the_numbers_and_files_of_one_machine(
    start: Callable[..., Run], place: Path, local: Callable[[Path], Any]
) -> None:
    suite = write_suite(place, 2)
    run = start(suite)
    status, said = run.end()
    assert status == 0, said
    assert "(raylet)" not in said, "what Ray prints is not shown"
    assert traces(suite, run.store) == local(suite)
    units = run.units()
    assert len(units) == 3, "a pretraining, what builds on it, and what builds on none"
    assert {unit["attempt"] for unit in units.values()} == {1}
    assert {record.provenance["threads"] for record in Store(run.store).records()} == {1}
    files = [file for file in (run.store / "jobs").rglob("*") if file.is_file()]
    assert files
    assert not any(SECRET in file.read_text() for file in files)
    assert start(suite).end()[0] == 0, "nothing is left to do"
    assert run.units() == units


def test_usage_statistics_are_off(ray: RayCluster) -> None:
    assert "Usage stats collection is disabled" in (ray.folder / "head.log").read_text()
    engine = RayEngine(ray.address)
    engine.check()
    environment = Path(f"/proc/{engine._client.pid}/environ").read_bytes().split(b"\0")
    assert b"RAY_USAGE_STATS_ENABLED=0" in environment


def test_a_worker_that_is_killed_is_followed_at_once_by_another_that_goes_on(
    start: Callable[..., Run], place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    run = start(suite)
    os.kill(worker_of(run.training()), signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: any(found.get("attempt") == 2 for found in run.units().values()))
    assert time.monotonic() - killed < 15, "the lease of a worker of another machine would be waited for a minute"
    status, said = run.end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


def test_the_job_of_a_killed_driver_is_shown_adopted_and_the_only_one(
    ray: RayCluster, start: Callable[..., Run], place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    first = start(suite)
    first.training()
    first.process.kill()
    first.end()
    (shown,) = json.loads(jobs(ray.environment(), first.store, "--json"))
    assert (shown["executor"], shown["state"]) == ("ray", "running")
    second = start(suite)
    status, said = second.end()
    assert status == 0, said
    assert {unit["attempt"] for unit in second.units().values()} == {1}
    assert traces(suite, second.store) == local(suite)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_jobs_save_checkpoints_and_the_same_command_goes_on(
    number: int, start: Callable[..., Run], place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    run = start(suite)
    worker = worker_of(run.training())
    os.killpg(run.process.pid, number)
    status, said = run.end()
    assert status == 75, said
    assert "run the same command again to go on" in said
    assert not Path(f"/proc/{worker}").exists()
    assert [file.parent.name for file in checkpoints(run.store)] == ["free"], "it waits for whoever goes on"
    status, said = start(suite).end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["cpus=2"], "no node has CPU 2; the most that a node has: CPU 1"),
        (["mem_gb=50000"], "no node has CPU 1, memory .* GiB; the most that a node has: CPU 1, memory"),
        (['options=["scanner=2"]'], "no node has CPU 1, scanner 2; the most that a node has: CPU 1, scanner 1"),
        (["minutes=600"], "executor ray: minutes: Ray knows none; leave it out"),
        (["address=127.0.0.1:1"], "Ray does not answer at 127.0.0.1:1: Connection refused"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_at_once(
    settings: list[str], message: str, start: Callable[..., Run], place: Path
) -> None:
    status, said = (run := start(write_suite(place, 2), *settings)).end()
    assert (status, "Traceback" in said) == (2, False), said
    assert re.search(f"error: .*{message}", said), said
    assert run.seconds < 30


def _submission(place: Path, *command: str, **asks: Any) -> Submission:
    return Submission("medssl-test", command, place / "log", Resources(cpus=1, **asks), {"GREETING": "hello"})


def _over(engine: RayEngine, handle: str) -> Any:
    return until(lambda: (state := engine.states([handle])[handle]).phase == "over" and state)


def test_what_a_job_says_and_how_it_ends_is_told(ray: RayCluster, place: Path) -> None:
    engine = RayEngine(ray.address)
    ends = {
        "echo $GREETING": ("", ""),
        "exit 3": ("status 3", "crash"),
        "kill -9 $$": ("SIGKILL", "lost"),
        "kill -11 $$": ("SIGSEGV", "crash"),
    }
    for script, (why, cause) in ends.items():
        state = _over(engine, engine.submit(_submission(place, "/bin/sh", "-c", script)))
        assert (state.why, state.cause) == (why, cause)
    assert (place / "log").read_text() == "hello\n"
    state = _over(engine, engine.submit(_submission(place, "/no/such/program")))
    assert (state.why, state.cause) == ("status 1", "crash")
    assert (place / "log").read_text() == "hello\n/no/such/program: No such file or directory\n"


def test_jobs_wait_for_a_place_and_are_cancelled_by_any_process(ray: RayCluster, place: Path) -> None:
    engine, other = RayEngine(ray.address), RayEngine(ray.address)
    ask = _submission(place, "/bin/sh", "-c", "echo $$; exec sleep 600", options=("scanner=1",))
    first, second = engine.submit(ask), engine.submit(ask)
    until(lambda: engine.states([first])[first].phase == "running")
    assert engine.states([second])[second].why == "waits for a place"
    assert {handle: state.phase for handle, state in other.states([first, second, "unknown"]).items()} == {
        first: "running",
        second: "queued",
    }
    process = until(lambda: (place / "log").read_text().strip())
    other.cancel([second])
    assert _over(engine, second).cause == "cancelled"
    other.cancel([first])
    assert _over(engine, first).why == "SIGTERM"
    assert not Path(f"/proc/{process}").exists()
    third = engine.submit(ask)
    until(lambda: engine.states([third])[third].phase == "running")
    other.cancel([third], now=True)
    assert _over(engine, third).cause == "cancelled"


def test_an_actor_that_dies_takes_its_process_along_and_why_is_told(ray: RayCluster, place: Path) -> None:
    engine = RayEngine(ray.address)
    handle = engine.submit(_submission(place, "/bin/sh", "-c", "echo $$ $PPID; exec sleep 600"))
    process, actor = until(lambda: (place / "log").exists() and (place / "log").read_text().split())
    until(lambda: engine.states([handle])[handle].phase == "running")
    os.kill(int(actor), signal.SIGKILL)
    state = _over(engine, handle)
    assert state.cause == "lost"
    assert state.why.startswith("The actor is dead because its worker process has died.")
    until(lambda: not Path(f"/proc/{process}").exists())


def test_a_job_that_ray_ends_for_want_of_memory_is_told_so(ray: RayCluster, place: Path) -> None:
    engine = RayEngine(ray.address)
    with ray.node_without_memory():
        state = _over(engine, engine.submit(_submission(place, "/bin/sleep", "600", options=("full=1",))))
    assert state.cause == "memory"
    assert "low on memory" in state.why


def test_the_stage_of_a_lost_node_goes_on_elsewhere(
    ray: RayCluster, start: Callable[..., Run], place: Path, local: Callable[[Path], Any]
) -> None:
    suite = long_suite(place)
    run = start(suite)
    unit = run.training()
    ray.lose(ray.node_of(worker_of(unit)))
    until(lambda: any(found.get("attempt") == 2 for found in run.units().values()), 60)
    status, said = run.end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


def test_the_page_on_clusters_says_what_happens_with_ray(
    ray: RayCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    Reader(DOCS / "how-to" / "ray.md", capsys, monkeypatch).read()


def test_a_lost_head_ends_no_run(ray: RayCluster, place: Path) -> None:
    engine = RayEngine(ray.address)
    handle = engine.submit(_submission(place, "/bin/sleep", "600"))
    for name in list(ray._nodes):
        ray.lose(name)
    until(lambda: _is_unreachable(engine, handle))
    assert _is_unreachable(engine, handle)


def _is_unreachable(engine: RayEngine, handle: str) -> bool:
    try:
        engine.states([handle])
    except Unreachable:
        return True
    return False
