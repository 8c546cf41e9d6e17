"""How a driver leaves: jobs are asked to save checkpoints and to end, or go on without it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from medssl_bench_cluster.engine import State, Unreachable

if TYPE_CHECKING:
    from medssl_bench_cluster.engine import Engine
    from medssl_bench_cluster.ledger import Notes

PATIENCE = 180.0
"""Seconds that jobs may take to save checkpoints and end, once asked."""

_LOOK = 1.0
"""Seconds between two looks at jobs that were asked to end."""

_AGAIN = 15
"""How many looks later they are asked again: one may have been about to start."""


def cancel_and_wait(
    engine: Engine,
    jobs: Sequence[tuple[Notes, str]],
    most_seconds: float,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Ask jobs to end, wait for them, and close their notes.

    A request to stop that comes meanwhile kills them at once.

    Args:
        engine: what runs them.
        jobs: notes, and the engine's handle.
        most_seconds: how long to wait.
        pause: waits.

    Returns:
        Whether all are over.

    Raises:
        Stopped: a stop was asked for meanwhile.
    """
    living = {handle: notes for notes, handle in jobs}
    try:
        end = time.monotonic() + most_seconds
        for number in count():
            if number % _AGAIN == 0:
                _cancel(engine, list(living), now=False)
            if not living or time.monotonic() >= end:
                break
            _close_ended(engine, living)
            if living:
                pause(_LOOK)
    except KeyboardInterrupt:
        _cancel(engine, list(living), now=True)
        for notes in living.values():
            notes.close()
        raise
    return not living


def _cancel(engine: Engine, handles: Sequence[str], *, now: bool) -> None:
    if handles:
        with suppress(Unreachable):
            engine.cancel(handles, now=now)


def _close_ended(engine: Engine, living: dict[str, Notes]) -> None:
    with suppress(Unreachable):
        states = engine.states(list(living))
        for handle, notes in list(living.items()):
            if states.get(handle, State("over")).phase == "over":
                notes.close()
                del living[handle]
