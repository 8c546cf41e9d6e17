"""A request to stop is never a failure, whatever a library makes of it; and what is no request never looks like one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from executors.odd_suite import ended, running, wait_for, write

from medssl_bench.store.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

_TURNED = """
try:
    wait()
except BaseException as error:
    raise RuntimeError("the file cannot be read") from None
"""

_SWALLOWED = """
try:
    wait()
except BaseException:
    pass  # and gives what it has so far, as a training that Ctrl-C ends early
"""

_IN_FINALLY = """
try:
    wait()
finally:
    raise ValueError("cannot be closed")
"""

_OF_A_CHILD = """
pid = os.fork()
if pid == 0:
    time.sleep(600)
    os._exit(0)
(HERE / "child").write_text(str(pid))
(HERE / "waits").touch()
_, how = os.waitpid(pid, 0)
raise RuntimeError(f"worker (pid {pid}) is killed by signal {how}")
"""

_TURNED_ON_IMPORT = """
def _load():
    (HERE / "waits").touch()
    try:
        time.sleep(60)
    except BaseException:
        raise ImportError("numpy._core.multiarray failed to import")


if not (HERE / "go on").exists():
    _load()
"""


def _failures(folder: Path) -> list[Path]:
    return list((folder / "store").glob("failed/*"))


@pytest.mark.parametrize(
    ("act", "executor"),  # a worker is the local executor in another process
    [(_TURNED, "isolated"), (_SWALLOWED, "isolated"), (_SWALLOWED, "local"), (_IN_FINALLY, "local")],
    ids=["turned", "swallowed", "swallowed, local", "in finally, local"],
)
def test_what_is_raised_when_a_stop_has_been_asked_for_is_no_failure(act: str, executor: str, tmp_path: Path) -> None:
    suite = write(tmp_path, act)
    with running(suite, executor=executor) as process:
        wait_for(tmp_path / "waits", process)
        process.send_signal(signal.SIGTERM)
        status, err = ended(process)
    assert status == 75, err
    assert "Traceback" not in err
    assert _failures(tmp_path) == []
    assert list(Store(tmp_path / "store").records()) == [], "what was found so far is no result"
    (tmp_path / "go on").touch()
    if act == _SWALLOWED:
        with running(suite, executor=executor) as process:  # without --retry-failed
            assert ended(process)[0] == 0


def test_a_child_that_is_asked_first_is_no_failure(tmp_path: Path) -> None:
    """A scheduler asks all processes of a job, one after the other."""
    suite = write(tmp_path, _OF_A_CHILD)
    with running(suite) as process:
        wait_for(tmp_path / "waits", process)
        os.kill(int((tmp_path / "child").read_text()), signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        status, err = ended(process)
    assert status == 75, err
    assert _failures(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_before_the_run_is_ready_a_library_may_make_another_error_of_it(number: int, tmp_path: Path) -> None:
    suite = write(tmp_path, "pass", _TURNED_ON_IMPORT)
    with running(suite) as process:
        wait_for(tmp_path / "waits", process)
        process.send_signal(number)
        status, err = ended(process)
    assert status == 75, err
    assert "run the same command again" in err
    assert "not a usable plugin" not in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ("os._exit(75)", "the worker process ended with status 75"),
        ("raise SystemExit(75)", "SystemExit: 75"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt:"),
    ],
)
def test_a_plugin_that_ends_as_a_stopped_one_would_has_failed(act: str, reason: str, tmp_path: Path) -> None:
    suite = write(tmp_path, act)
    with running(suite) as process:
        status, err = ended(process)
    assert status == 1, err
    assert reason in err
    assert len(_failures(tmp_path)) == 1


def _child(process: subprocess.Popen[str], module: str) -> int:
    """Wait for the child of a run that is to run a module, and return its number."""
    while True:
        assert process.poll() is None
        for word in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            with suppress(OSError):
                if f"from {module} import" in Path(f"/proc/{word}/cmdline").read_text():
                    return int(word)
        time.sleep(0.001)


_WORKER, _CHECK = "medssl_bench.executors.worker", "medssl_bench.session.encoder_check"


@pytest.mark.parametrize(
    ("number", "delay", "module"),
    [
        (signal.SIGKILL, 0.1, _WORKER),
        (signal.SIGINT, 0.0, _WORKER),
        (signal.SIGTERM, 0.3, _WORKER),
        (signal.SIGKILL, 0.1, _CHECK),
        (signal.SIGTERM, 0.02, _CHECK),
        (signal.SIGHUP, 0.5, _CHECK),
    ],
)
def test_a_child_that_is_ended_while_it_starts_fails_nothing(
    number: int, delay: float, module: str, tmp_path: Path
) -> None:
    """Killed, another one does the work; asked to stop, before it can hear that, the run has been asked."""
    suite = write(tmp_path, "wait()", encoder="test_resnet" if module == _WORKER else "test_efficientnet")
    with running(suite) as process:
        child = _child(process, module)
        time.sleep(delay)
        os.kill(child, number)
        (tmp_path / "go on").touch()
        status, err = ended(process)
    assert status == (0 if number == signal.SIGKILL else 75), err
    assert "Traceback" not in err
    assert _failures(tmp_path) == []


def test_a_worker_that_is_killed_while_it_waits_fails_nothing(tmp_path: Path) -> None:
    suite = write(tmp_path, "wait()")
    with running(suite) as first:
        wait_for(tmp_path / "waits", first)
        with running(suite) as second:
            child = _child(second, _WORKER)
            end = time.monotonic() + 60
            while "torch" not in Path(f"/proc/{child}/maps").read_text():
                assert time.monotonic() < end
                time.sleep(0.05)
            time.sleep(5)  # it waits for the stage of the first run
            os.kill(child, signal.SIGKILL)
            time.sleep(0.5)
            (tmp_path / "go on").touch()
            assert ended(second)[0] == 0
        assert ended(first)[0] == 0


_DIES_SLOWLY = """
class Slow:
    def __del__(self, make=os.mkdir, place=str(HERE / f"dies {os.getpid()}"), sleep=time.sleep):
        make(place)
        sleep(2)


sys.slow = Slow()  # deleted when Python clears its modules, after all else
"""


def test_as_python_ends_a_request_changes_no_status(tmp_path: Path) -> None:
    suite = write(tmp_path, "pass", _DIES_SLOWLY)
    with running(suite, executor="local") as process:
        end = time.monotonic() + 90
        while process.poll() is None and not (tmp_path / f"dies {process.pid}").exists():
            assert time.monotonic() < end
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        status, err = ended(process)
    assert status == 0, err
    assert "Traceback" not in err


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_twice_in_a_row_it_is_the_same(first: int, tmp_path: Path) -> None:
    suite = write(tmp_path, "wait()")
    with running(suite) as process:
        wait_for(tmp_path / "waits", process)
        process.send_signal(first)
        process.send_signal(signal.SIGTERM)
        status, err = ended(process)
    assert status == 75, err
    assert "Traceback" not in err
    assert _failures(tmp_path) == []
