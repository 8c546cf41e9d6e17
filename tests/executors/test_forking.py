"""Components that start processes of their own: nobody waits for what those hold open, and none outlives the run."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import pytest
from executors.odd_suite import ended, living_children, running, wait_for, write

from medssl_bench.store.store import Store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, and forks"),
]

_POOLS = """
from torch.utils.data import DataLoader
for way in ("fork", "forkserver", "spawn"):
    child = multiprocessing.get_context(way).Process(target=time.sleep, args=(0.01,))
    child.start()
    child.join()
    assert child.exitcode == 0, way
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(abs, range(-4, 0)) == [4, 3, 2, 1]
loader = DataLoader(list(range(8)), batch_size=2, num_workers=2, multiprocessing_context="fork")
assert sum(int(batch.sum()) for batch in loader) == 28
left = multiprocessing.get_context("fork").Process(target=_sleep, args=(600,))
left.start()  # not a daemon: Python waits for it when the process exits
pid = os.fork()
if pid == 0:
    time.sleep(600)
    os._exit(0)
note(pid)
"""

_HELD = """
fork = ctypes.CDLL(None).fork  # tells Python nothing, so that every descriptor stays open
pid = fork()
if pid == 0:
    ctypes.CDLL(None).sleep(600)
    os._exit(0)
note(pid)
os.kill(os.getpid(), signal.SIGKILL)
"""

_POOL_SLEEPS = """
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.map_async(_sleep, range(2))
    while not (HERE / "children").exists() or len((HERE / "children").read_text().split()) < 2:
        time.sleep(0.05)
    wait()
"""

_SWALLOWS = """
pid = os.fork()
if pid == 0:
    time.sleep(600)
    os._exit(0)
note(pid)
while True:
    try:
        wait()
    except BaseException:
        pass
"""


def test_a_plugin_may_fork_and_spawn_and_what_it_leaves_ends(tmp_path: Path) -> None:
    suite = write(tmp_path, _POOLS)
    with running(suite) as process:
        status, err = ended(process, 150)
    assert status == 0, err
    assert living_children(tmp_path) == []


def test_a_dead_worker_is_not_waited_for_as_long_as_somebody_holds_its_pipe(tmp_path: Path) -> None:
    suite = write(tmp_path, _HELD)
    with running(suite) as process:
        status, err = ended(process)
    assert status == 1, err
    assert "killed by SIGKILL" in err
    assert living_children(tmp_path) == []


@pytest.mark.parametrize("executor", ["isolated", "local"])
def test_one_ctrl_c_ends_a_pool_and_all(executor: str, tmp_path: Path) -> None:
    suite = write(tmp_path, _POOL_SLEEPS)
    with running(suite, executor=executor) as process:
        wait_for(tmp_path / "waits", process)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        status, err = ended(process)
    assert status == 75, err
    assert time.monotonic() - began < 60
    assert "Traceback" not in err
    assert living_children(tmp_path) == []
    assert list((tmp_path / "store" / "failed").iterdir()) == []


def test_a_component_that_swallows_the_request_is_ended_after_a_while(tmp_path: Path) -> None:
    suite = write(tmp_path, _SWALLOWS)
    with running(suite) as process:
        wait_for(tmp_path / "waits", process)
        process.send_signal(signal.SIGTERM)
        status, err = ended(process, 60)
    assert status == 75, err
    assert living_children(tmp_path) == []
    assert list((tmp_path / "store" / "failed").iterdir()) == []


def test_a_run_that_is_killed_leaves_no_orphans(tmp_path: Path) -> None:
    suite = write(tmp_path, _POOL_SLEEPS)
    with running(suite) as process:
        wait_for(tmp_path / "waits", process)
        process.send_signal(signal.SIGKILL)
        assert ended(process)[0] == -signal.SIGKILL
    assert living_children(tmp_path, 20) == []
    assert list(Store(tmp_path / "store").records()) == []
