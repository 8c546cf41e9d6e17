"""Processes and threads that are there now and were not before."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PATIENCE = 3.0
"""Seconds that they may take to end."""


def watch_for_left() -> Callable[[], str]:
    """Return a function that says what this process has started since and what is still there; empty: nothing."""
    threads, processes = set(threading.enumerate()), _children()

    def left() -> str:
        end = time.monotonic() + _PATIENCE
        while (
            found := _told(set(threading.enumerate()) - threads, _children() - processes)
        ) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    return left


def _told(threads: set[threading.Thread], processes: set[int]) -> str:
    told = [f"thread {thread.name!r}" for thread in threads if thread.is_alive()]
    return ", ".join(sorted(told) + [f"process {number}" for number in sorted(processes)])


def _children() -> set[int]:
    """Return the numbers of the processes that this one has started and that live."""
    if Path("/proc/self/stat").exists():
        rows = [_row(folder / "stat") for folder in Path("/proc").iterdir() if folder.name.isdecimal()]
    else:
        command = ["ps", "-A", "-o", "pid=,ppid=,state="]
        shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
        rows = [tuple(line.split()) for line in shown.splitlines()]
    own = str(os.getpid())
    return {int(row[0]) for row in rows if len(row) == 3 and row[1] == own and not row[2].startswith("Z")}


def _row(file: Path) -> tuple[str, ...]:
    """Return number, parent and state of a process of Linux; nothing: it has ended meanwhile."""
    with suppress(OSError):
        number, _, rest = file.read_text("utf-8", "replace").partition(" (")
        state, parent = rest.rpartition(") ")[2].split()[:2]  # the name, in brackets, may hold spaces and brackets
        return number, parent, state
    return ()
