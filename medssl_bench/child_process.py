"""Child processes of this very program: how they are started, and how they ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

from medssl_bench.stopping import SIGNALS, STATUS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOOK = 0.5
"""Seconds between two looks at whether the parent is still there."""

_START = """
import signal, sys
{prepare}
sys.path[:] = sys.argv[{first}:]
from {module} import main
main()
"""


def start_child(
    module: str,
    prepare: str,
    arguments: Sequence[object],
    descriptors: Sequence[int],
    *,
    stdin: int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    own_group: bool = False,
) -> subprocess.Popen[bytes]:
    """Start the function ``main`` of a module in a process that finds the same packages as this one, and no others.

    ``-P`` keeps the current directory off ``sys.path``, and so does leaving out its empty entry, which an interactive
    Python has. Requests to stop are blocked until the child unblocks them: as Python begins they would be lost, or
    look like a crash.

    Args:
        module: its full name.
        prepare: Python that runs before anything is imported; `signal` and `sys` are there.
        arguments: of the process, ``sys.argv[1:]``.
        descriptors: open file descriptors that it inherits.
        stdin: its standard input, as `subprocess.Popen` has it.
        environment: its environment variables; None: those of this process.
        own_group: whether it leads a process group of its own.
    """
    code = _START.format(prepare=prepare.strip(), first=len(arguments) + 1, module=module)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        return subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-P", "-c", code, *map(str, arguments), *filter(None, sys.path)],
            stdin=stdin,
            pass_fds=list(descriptors),
            env=None if environment is None else dict(environment),
            process_group=0 if own_group else None,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent(parent: int) -> None:
    """End this process, without a word, soon after its parent has ended: nothing that it finds is of use then.

    Args:
        parent: process number of the parent, as the parent knows it: it may have ended already.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(STATUS)

    threading.Thread(target=watch, daemon=True).start()


def how_it_ended(status: int) -> str:
    """Return how a process ended, by its status as `subprocess` has it."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}" + (" (too little memory?)" if name == "SIGKILL" else "")


def was_asked_to_stop(status: int | None) -> bool:
    """Return whether a process has ended by a signal that asks to stop."""
    return -(status or 0) in SIGNALS
