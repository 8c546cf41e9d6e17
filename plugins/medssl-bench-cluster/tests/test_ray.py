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
from long import LONG
from medssl_bench_cluster.engine import Resources, Submission, Unreachable
from medssl_bench_cluster.ray_engine import RayEngine
from ray_cluster import MISSING, RayCluster, running_ray
from runs import SECRET, Run, go_on, is_alive, jobs, long_suite, small_disk, until, worker_of
from watched import checkpoints

from medssl_bench.errors import UserError
from medssl_bench.store.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.skipif(bool(MISSING), reason=MISSING)]


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
    return lambda suite, *settings, **more: Run("ray", ray.environment(), suite, *settings, **more)


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


@LONG
def test_a_worker_a_node_and_the_driver_are_lost_one_after_the_other(
    ray: RayCluster, start: Callable[..., Run], suite: Path, local: Callable[[Path], Any]
) -> None:
    run = start(suite)
    unit = run.training()
    os.kill(worker_of(unit), signal.SIGKILL)
    began = time.monotonic()
    until(lambda: run.attempts() == 2)
    assert time.monotonic() - began < 50, "the lease of a worker of another machine would be waited for a minute"

    unit = run.training(but=unit)
    lost = ray.node_of(worker_of(unit))
    ray.lose(lost)
    until(lambda: run.attempts() == 3)

    unit = run.training(but=unit)
    assert ray.node_of(worker_of(unit)) != lost
    os.kill(worker_of(unit), signal.SIGSTOP)  # it has work left for the next driver
    run.kill()
    (shown,) = json.loads(jobs(ray.environment(), run.store, "--json"))
    assert (shown["executor"], shown["state"], shown["handle"]) == ("ray", "running", unit["handle"])
    run = start(suite)
    until(lambda: run.said)
    go_on(worker_of(unit))
    status, said = run.end()
    assert status == 0, said
    assert run.attempts() == 3, "the job of the killed driver was adopted"
    assert traces(suite, run.store) == local(suite)


@LONG
def test_a_stop_lets_jobs_save_checkpoints_a_second_kills_them_and_the_same_command_goes_on(
    start: Callable[..., Run], suite: Path, local: Callable[[Path], Any]
) -> None:
    run = start(suite)
    unit = run.training()
    run.process.terminate()
    status, said = run.end()
    assert status == 75, said
    assert "run the same command again to go on" in said
    assert not is_alive(worker_of(unit))
    assert [file.parent.name for file in checkpoints(run.store)] == ["free"], "it waits for whoever goes on"

    run = start(suite, "checkpoint_seconds=600")  # none is due while it trains
    worker = worker_of(run.training(but=unit))
    run.interrupt_twice(worker)
    until(lambda: not is_alive(worker))

    status, said = start(suite).end()
    assert status == 0, said
    assert traces(suite, run.store) == local(suite)


@LONG
def test_a_full_disk_fails_a_stage_that_says_so_and_another_run_does_it(
    start: Callable[..., Run], tmp_path: Path, local: Callable[[Path], Any]
) -> None:
    with small_disk(tmp_path / "disk", "1m") as enlarge:
        suite = long_suite(tmp_path / "disk")
        run = start(suite)
        status, said = run.end()
        assert (status, "Traceback" in said) == (1, False), said
        assert "No space left on device" in said
        enlarge()
        status, said = start(suite, retry=True).end()
        assert status == 0, said
        assert traces(suite, run.store) == local(suite)


@pytest.mark.parametrize(
    ("asks", "message"),
    [
        ({"cpus": 2}, "no node has CPU 2; the most that a node has: CPU 1"),
        ({"mem_gb": 50000.0}, "no node has CPU 1, memory .* GiB; the most that a node has: CPU 1, memory"),
        ({"options": ("scanner=2",)}, "no node has CPU 1, scanner 2; the most that a node has: CPU 1, scanner 1"),
        ({"minutes": 600}, "executor ray: minutes: Ray knows none; leave it out"),
    ],
    ids=str,
)
def test_what_ray_does_not_have(asks: dict[str, Any], message: str, ray: RayCluster, place: Path) -> None:
    with pytest.raises(UserError, match=message):
        RayEngine(ray.address).submit(_submission(place, "/bin/true", **asks))


def test_what_cannot_be_is_told_at_once(start: Callable[..., Run], tmp_path: Path) -> None:
    wanted = {
        "cpus=2": "error: .*no node has CPU 2; the most that a node has: CPU 1",
        "address=127.0.0.1:1": "error: Ray does not answer at 127.0.0.1:1: Connection refused",
    }
    runs = []
    for setting in wanted:
        folder = tmp_path / setting.partition("=")[0]
        folder.mkdir()
        runs.append(start(write_suite(folder, 2), setting))
    for run, message in zip(runs, wanted.values(), strict=True):
        status, said = run.end()
        assert (status, "Traceback" in said) == (2, False), said
        assert re.search(message, said), said


def _submission(place: Path, *command: str, **asks: Any) -> Submission:
    return Submission("medssl-test", command, place / "log", Resources(**{"cpus": 1, **asks}), {"GREETING": "hello"})


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


@LONG
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
