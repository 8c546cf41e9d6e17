"""Stopping on request: Ctrl-C, or SIGTERM as schedulers send before they take a machine away.

A training that can save a checkpoint is stopped at its next step; everything else at once, and so is a second request.

A request is an exception in whatever runs at that moment, a library's code too, which may turn it into an error of its
own, or swallow it. So it is also remembered: what is raised from then on is no failure of anything (`is_stop`).
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

STATUS = 75
"""Exit status of a stopped run: ``EX_TEMPFAIL`` of sysexits.h, "run the same command again"."""

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What asks a process to stop."""

_MOMENT = 0.2
"""Seconds in which a request reaches all processes of a job: a child may be gone before its parent is asked."""


class Stopped(KeyboardInterrupt):
    """This process was asked to stop; finished stages, and checkpoints of the others, are kept."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback: a user has interrupted the kernel."""
        return ["stopped; what is done is kept: run the same cell again to go on"]


class _Request:
    """Whether a stop has been asked for, and whether it may wait.

    Attributes:
        before: the handlers that ours stand in place of; None: ours are not installed.
        raised: when it was raised first, on the monotonic clock; None: it was not, or waits for a checkpoint.
        waits: how many blocks are open that look at it themselves.
        held: how many blocks are open that must not be interrupted.
        pending: whether it came inside one of them.
        ending: exit status, once nothing is left to do but to exit.
    """

    def __init__(self) -> None:
        self.before: dict[int, Any] | None = None
        self.asked = self.patient = self.pending = False
        self.raised: float | None = None
        self.waits = self.held = 0
        self.ending: int | None = None


_request = _Request()


@contextmanager
def stoppable(*, patient: bool = False) -> Iterator[None]:
    """Turn requests to stop into `Stopped` inside the block; outside the main thread nothing is changed.

    Inside another such block it changes nothing either. A signal that was ignored before, as ``nohup`` has it, stays
    ignored. A process that is forked inside the block has the handlers that were there before.

    Args:
        patient: whether requests after the first count for nothing: schedulers ask each process of a job, and a worker
            is then asked twice. Who has started it ends it when it takes too long.
    """
    if threading.current_thread() is not threading.main_thread() or _request.before is not None:
        yield
        return
    listen(patient=patient)
    try:
        yield
    finally:
        _put_back()


def listen(*, patient: bool = False) -> None:
    """Begin what `stoppable` does, in the main thread and for the rest of the process."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    _request.before = {number: handler for number, handler in before.items() if handler not in {signal.SIG_IGN, None}}
    _request.patient = patient
    for number in _request.before:
        signal.signal(number, _stop)


def rearm() -> None:
    """Install the handlers of `stoppable` or `listen` again, in the main thread, after a library has replaced them.

    Where neither is at work nothing is done.
    """
    if threading.current_thread() is threading.main_thread():
        for number in _request.before or ():
            signal.signal(number, _stop)


def nothing_is_left(status: int) -> None:
    """Let a request that comes from now on end the process at once, with this status: all is done and said."""
    _request.ending = status


def end_process(status: int, *streams: TextIO) -> NoReturn:
    """End the process once all is done and said: what components have registered for its end is called, and no more.

    The end of an interpreter whose imports were interrupted may hang.

    Args:
        status: of the process.
        streams: to write out first.
    """
    nothing_is_left(status)
    atexit._run_exitfuncs()  # noqa: SLF001 - there is no other way to end in this order
    for stream in streams:
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def end_if_nothing_is_left() -> None:
    """End the process with the status that `nothing_is_left` was given, if it was; for `atexit`, registered first.

    What Python does after the functions of `atexit` takes a while, and in that time a signal ends the process as it
    ends any program: with another status than the one that was meant.
    """
    if _request.ending is None:
        return
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # there is none, nothing reads it, or it is closed
            stream.flush()
    os._exit(_request.ending)


def _put_back() -> None:
    for number, handler in (_request.before or {}).items():
        signal.signal(number, handler)
    _request.__init__()  # type: ignore[misc]


def _stop(_number: int, _frame: FrameType | None) -> None:
    if _request.ending is not None:
        os._exit(_request.ending)
    first, _request.asked = not _request.asked, True
    if _request.patient and not first:
        return
    if _request.held:
        _request.pending = True
    elif first and _request.waits:
        with suppress(OSError):  # the terminal, or who reads a pipe, may be what has just gone
            os.write(2, b"\nstopping at the next step, to save a checkpoint; once more stops at once\n")
    else:
        _raise()


def _raise() -> None:
    if _request.raised is None:
        _request.raised = time.monotonic()
    raise Stopped


@contextmanager
def at_checkpoints() -> Iterator[None]:
    """Let requests to stop wait inside the block, where `is_asked` is looked at after every step."""
    _request.waits += 1
    try:
        yield
    finally:
        _request.waits -= 1


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let requests to stop wait for the end of the block, which is short and must not be left half done.

    Raises:
        Stopped: at its end, if a stop was asked for in it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _request.held += 1
    try:
        yield
    finally:
        _request.held -= 1
        if _request.pending and not _request.held:
            _request.pending = False
            if not _request.waits:
                _raise()


def is_asked() -> bool:
    """Return whether a stop has been asked for."""
    return _request.asked


def seconds_since_raised() -> float | None:
    """Return for how long a request has been an exception in this process; None: there was none."""
    return None if _request.raised is None else time.monotonic() - _request.raised


def stop_if_asked(*, soon: bool = False) -> None:
    """Raise `Stopped` if a stop has been asked for, where it may have been swallowed or turned into another error.

    Args:
        soon: whether to wait a moment for a request: the processes of a job are asked one after the other, so an error
            may come from a child that was asked before this process.

    Raises:
        Stopped: it has been.
    """
    if soon and not _request.asked and _request.before:
        time.sleep(_MOMENT)
    if _request.asked:
        _raise()


def is_stop(error: BaseException) -> bool:
    """Return whether an exception is a request to stop, or comes of one.

    In a worker, which no terminal interrupts, a `KeyboardInterrupt` without a request is an error like any other.
    """
    is_interrupt = isinstance(error, KeyboardInterrupt) and not _request.patient
    return _request.asked or is_interrupt or isinstance(error, Stopped)


def _forget_in_child() -> None:
    """Restore signal handlers in a forked process: otherwise a pool of processes never ends."""
    if _request.before is not None:
        _put_back()


os.register_at_fork(after_in_child=_forget_in_child)
