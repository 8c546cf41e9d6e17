"""What Ray has on a node for each job: an actor that starts the process, tells of it, and ends with it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_WELL, _BADLY = 10.0, 60.0
"""Seconds for which one can ask how a process has ended, well or not; then its place is free, asked or not.

A worker itself says that it has ended well, so the place is not kept for long.
"""

_STOPPED = 75
"""Exit status of a worker that has left something to do."""

_PLACE = """
import ctypes, os, signal, sys
actor, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(actor):
    sys.exit("its actor has died")
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
try:
    os.execv(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]}: {error.strerror}")
"""
"""Becomes the process of the job: it dies with its actor, and hears the signals that actors ignore and block."""


class Job:
    """A process.

    Args:
        command: the program and its arguments.
        log: file that its output is appended to.
        environment: variables to set beside those of Ray on this node.
    """

    def __init__(self, command: Sequence[str], log: str, environment: Mapping[str, str]) -> None:
        with Path(log).open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - the program that was submitted, and no shell
                [sys.executable, "-I", "-S", "-c", _PLACE, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                env={**os.environ, **environment}, cwd=Path(log).parent,
            )  # fmt: skip
        threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        time.sleep(_WELL if self._process.wait() in {0, _STOPPED} else _BADLY)
        os._exit(0)

    def status(self) -> int | None:
        """Return how the process has ended, a signal as a negative number; None: it is at work."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask the process to save a checkpoint and to end."""
        self._process.terminate()
