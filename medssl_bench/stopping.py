"""Stopping on request: Ctrl-C, or SIGTERM as schedulers send before they take a machine away.

A training that can save a checkpoint is stopped at its next step; everything else at once, and so is a second request.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

STATUS = 75
"""Exit status of a stopped run: ``EX_TEMPFAIL`` of sysexits.h, "run the same command again"."""

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stopped(KeyboardInterrupt):
    """Somebody has asked this process to stop; what is finished, and the checkpoint of what is not, are kept."""


class _Request:
    """Whether a stop has been asked for, and whether it may wait for a checkpoint."""

    def __init__(self) -> None:
        self.asked = False
        self.waits = 0


_request = _Request()


@contextmanager
def stoppable(*, patient: bool = False) -> Iterator[None]:
    """Turn requests to stop into `Stopped` inside the block; outside the main thread nothing is changed.

    A signal that was ignored before, as ``nohup`` has it, stays ignored.

    Args:
        patient: whether a second request, too, waits for a checkpoint: schedulers ask each process of a job, and a
            worker is then asked twice.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: handler for number, handler in before.items() if handler not in {signal.SIG_IGN, None}}
    _request.asked = False
    for number in before:
        signal.signal(number, partial(_stop, patient=patient))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _request.asked = False


def _stop(_number: int, _frame: FrameType | None, *, patient: bool) -> None:
    if _request.waits and _request.asked and patient:
        return
    if _request.waits and not _request.asked:
        _request.asked = True
        with suppress(OSError):  # the terminal, or who reads a pipe, may be what has just gone
            os.write(2, b"\nstopping at the next step, to save a checkpoint; once more stops at once\n")
        return
    _request.asked = True
    raise Stopped


@contextmanager
def at_checkpoints() -> Iterator[None]:
    """Let requests to stop wait inside the block, where `is_asked` is looked at after every step."""
    _request.waits += 1
    try:
        yield
    finally:
        _request.waits -= 1


def is_asked() -> bool:
    """Return whether a stop has been asked for."""
    return _request.asked
