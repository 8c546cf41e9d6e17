"""A worker process as seen from the run that started it: how it is started, heard, asked to stop, and ended."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from medssl_bench.child_process import start_child, was_asked_to_stop
from medssl_bench.stopping import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

    from medssl_bench.executors.remote import Relay

_PREPARE = """
if hasattr(signal, "SIGTTOU"):
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # what a plugin prints is shown, though the group is its own
"""

LOOK = 0.2
"""Seconds between two checks that a worker is alive; its pipe does not show it if another process holds it."""

_LAST = 10.0
"""Seconds that a worker may take to exit when it has said its last word."""

_LINGER = 1.0
"""Seconds that processes may take to end which a worker has started, once it is gone itself."""


class WorkerProcess:
    """A worker: a process in a group of its own, so that what it has started can be ended with it.

    Args:
        process: the process.
        events: an open file descriptor on which it says what happens.
        job: an open file descriptor on which it is given its job, and sees that this process is there.

    Attributes:
        relay: what it has said; set by the crew that it works in.
        is_open: whether it can still say something.
    """

    relay: Relay

    def __init__(self, process: subprocess.Popen[bytes], events: int, job: int) -> None:
        self.process, self.events, self._job = process, events, job
        self.is_open = True
        self._begun = b""
        os.set_blocking(events, False)

    @classmethod
    def start(cls, environment: Mapping[str, str]) -> WorkerProcess:
        """Start one; nothing of it is left if that fails."""
        (events, write), (read, job) = os.pipe(), os.pipe()
        try:
            process = start_child(
                "medssl_bench.executors.worker",
                _PREPARE,
                [write, read, os.getpid()],
                [write, read],
                environment=environment,
                own_group=True,
            )
        except BaseException:
            os.close(events)
            os.close(job)
            raise
        finally:
            os.close(write)
            os.close(read)
        return cls(process, events, job)

    def give(self, given: Mapping[str, Any]) -> None:
        """Give it its job, JSON-able."""
        line = json.dumps(given).encode() + b"\n"
        with suppress(BrokenPipeError):  # it died before it had read: that is seen later
            while line:
                line = line[os.write(self._job, line) :]

    def lines(self) -> list[bytes]:
        """Return the whole lines that have come since the last time."""
        found = [self._begun]
        with suppress(BlockingIOError):
            while block := os.read(self.events, 2**16):
                found.append(block)
            self.is_open = False
        *lines, self._begun = b"".join(found).split(b"\n")
        return lines

    def is_dead(self) -> bool:
        """Return whether it has ended."""
        return self.process.poll() is not None

    def was_asked_to_stop(self) -> bool:
        """Return whether another process asked it to stop before it was done."""
        return self.relay.at is not None and (self.relay.was_stopped or was_asked_to_stop(self.process.returncode))

    def finish(self) -> None:
        """Wait for it, and end what it leaves behind."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(_LAST)
        if not self.is_dead():  # it has said that it ends: something that it has loaded does not
            self.kill()
        self.end_descendants()

    def end_descendants(self) -> None:
        """End the processes that a dead worker has left; those that clean up after others have a moment to do so."""
        end = time.monotonic() + _LINGER
        with suppress(ProcessLookupError, PermissionError):  # there are none, or none but those that have ended
            while time.monotonic() < end:
                os.killpg(self.process.pid, 0)
                time.sleep(0.01)
            os.killpg(self.process.pid, signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send a signal to it and all that it has started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End it and all that it has started, now."""
        self.signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """Close what connects this process to it."""
        os.close(self.events)
        os.close(self._job)


@contextmanager
def worker_processes(
    number: int, given: Mapping[str, Any], environment: Mapping[str, str]
) -> Iterator[list[WorkerProcess]]:
    """Give workers on one job; at the end they are waited for, or stopped if the block raises.

    Args:
        number: of workers.
        given: what each needs to know, beside its ``number``, from 0.
        environment: of each.
    """
    workers: list[WorkerProcess] = []
    try:
        for _ in range(number):
            with uninterrupted():
                workers.append(WorkerProcess.start(environment))
        with _suspended_with_this(workers):
            for place, worker in enumerate(workers):
                worker.give({**given, "number": place})
            yield workers
            for worker in workers:
                worker.finish()
    except BaseException:
        _stop(workers)
        raise
    finally:
        for worker in workers:
            worker.close()


def _stop(workers: Sequence[WorkerProcess]) -> None:
    """Let workers save a checkpoint and end; a second request to stop ends them at once."""
    living = [worker for worker in workers if not worker.is_dead()]
    try:
        for worker in living:
            worker.process.terminate()
        with selectors.DefaultSelector() as selector:
            for worker in living:
                selector.register(worker.events, selectors.EVENT_READ, worker)
            while not all(worker.is_dead() for worker in living):
                for key, _ in selector.select(LOOK):  # else one that has much to say would wait for a reader
                    worker = key.data
                    worker.lines()
                    if not worker.is_open:
                        selector.unregister(worker.events)
    finally:
        with uninterrupted():
            for worker in workers:
                if not worker.is_dead():
                    worker.kill()
                worker.end_descendants()


@contextmanager
def _suspended_with_this(workers: Sequence[WorkerProcess]) -> Iterator[None]:
    """Suspend workers when Ctrl-Z suspends this process: the terminal does not reach their groups."""
    number = getattr(signal, "SIGTSTP", None)
    is_main = threading.current_thread() is threading.main_thread()
    if number is None or not is_main or signal.getsignal(number) != signal.SIG_DFL:
        yield
        return

    def suspend(_number: int, _frame: FrameType | None) -> None:
        for worker in workers:
            worker.signal(signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)  # the shell has it go on from here
        for worker in workers:
            worker.signal(signal.SIGCONT)

    signal.signal(number, suspend)
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL)
