"""The worker of the isolated executor: reads a job from a pipe, runs it, and says what happens, a JSON line each.

It ends, with whatever it has started, as soon as the process that started it is gone. Components may start processes of
their own: standard input is empty, and they do not inherit the pipes, so that no process waits for them.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import warnings
from typing import Any

from medssl_bench.errors import UserError
from medssl_bench.executors.base import Watchers
from medssl_bench.executors.remote import event_of, work
from medssl_bench.stopping import SIGNALS, STATUS, end_process, is_stop, listen, nothing_is_left, seconds_since_raised

_LOOK = 1.0
"""Seconds between two looks at whether the process that started this one is still there."""

_PATIENCE = 10.0
"""Seconds that a component may take to end when it has been stopped at once; a wait for a checkpoint does not count."""


class Events(Watchers):
    """Writes the events of the local executor as JSON lines.

    The reader may be suspended, with the process that started this one: events of epochs are then left out, so that
    the work goes on. A process that is forked from this one says nothing.

    Args:
        pipe: open file descriptor to write to.
    """

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe: int | None = pipe
        self._number = 0
        self._writing = threading.RLock()  # one that a warning in the midst of a line does not wait for

    def tell(self, hook: str, **arguments: Any) -> None:
        """Write one event."""
        self.write(**event_of(hook, arguments))

    def write(self, **event: Any) -> None:
        """Write one line; wait for a reader, unless it is of an epoch."""
        if self._pipe is None:
            return
        with self._writing:  # a thread that warns must not break the line of another
            self._number += 1
            line = json.dumps({"n": self._number, **event}).encode() + b"\n"
            can_go = "epoch" in event and len(line) <= select.PIPE_BUF  # such a line is written whole or not at all
            while line:
                try:
                    line = line[os.write(self._pipe, line) :]
                except BlockingIOError:
                    if can_go:
                        return
                    select.select([], [self._pipe], [])

    def close(self) -> None:
        """Say nothing more; in a forked process a thread that is not there may hold the lock."""
        if self._pipe is not None:
            os.close(self._pipe)
        self._pipe = None


def main() -> None:
    """Run the job of the input; how it ended is the last line that is written.

    The first arguments of the process: the numbers of two open file descriptors, one to write events to and one to read
    the job from, which is a line; and the number of the process that started this one. The second stays open for as
    long as that process lives.
    """
    pipe, job, parent = (int(text) for text in sys.argv[1:4])
    for descriptor in (pipe, job):  # no process that is started from here holds them open
        os.set_inheritable(descriptor, False)
    # what a plugin prints must not be taken for an answer, nor must it spoil the output of the run
    os.dup2(2, 1)
    events = Events(pipe)
    show = warnings.showwarning

    def leave_in_child() -> None:
        warnings.showwarning = show
        events.close()
        os.close(job)

    os.register_at_fork(after_in_child=leave_in_child)
    warnings.showwarning = lambda message, category, *_: events.write(warning=str(message), category=category.__name__)
    listen(patient=True)
    status = 0
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # who started this process has it begin with them blocked
        given = json.loads(_line(job) or _end())
        threading.Thread(target=_look_after, args=(job, parent, events), daemon=True).start()
        if given.get("devices"):
            given["device"] = _own_device(given["devices"], given["number"])
        work(given, events)
        events.write(end=True)
    except BaseException as error:
        status = STATUS
        if is_stop(error):
            events.write(stopped=True)
        elif isinstance(error, UserError):
            nothing_is_left(status)  # where another worker refuses it too, this one is stopped while it says so
            events.write(refused=str(error))
        else:
            raise
    end_process(status, sys.stderr)


def _line(descriptor: int) -> bytes:
    """Read the line that a pipe holds, without the buffer and the lock of a file object, which a fork would copy."""
    found = b""
    while not found.endswith(b"\n"):
        block = os.read(descriptor, 2**16)
        if not block:
            return b""
        found += block
    return found


def _own_device(names: list[str], number: int) -> str:
    """Return the name of this worker's device, and keep what names no device of CUDA off the others."""
    import torch

    from medssl_bench.training.device import device_in_turn

    device = device_in_turn(names, number)
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    return device


def _look_after(job: int, parent: int, events: Events) -> None:
    """End this process, and all that it has started, when its parent is gone or does not stop when asked."""
    while True:
        if select.select([job], [], [], _LOOK)[0] and not os.read(job, 1):
            _end()
        if os.getppid() != parent:  # although another process holds the pipe open
            _end()
        if (seconds_since_raised() or 0.0) > _PATIENCE:
            events.write(stopped=True)
            _end()


def _end() -> bytes:
    """End this process, and the others of its group, which is its own."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(STATUS)
