"""How long a run will still take: by estimates, how finished stages held to theirs, and how far the others are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.progress.words import duration

if TYPE_CHECKING:
    from medssl_bench.plugin.watching import Epoch, StageInfo

_TRUST = 10.0
"""Seconds of finished work that count as much as the estimates themselves."""


@dataclass
class _Running:
    """A stage that is worked on.

    Attributes:
        began: when it began.
        first: when its progress was first reported, and which part was done then; a training that goes on from a
            checkpoint begins at its middle.
        last: the same, of the last time.
    """

    began: float
    first: tuple[float, float] | None = None
    last: tuple[float, float] | None = None

    def tell(self, now: float, part: float) -> None:
        self.first = self.first or (now, part)
        self.last = (now, part)

    def left(self, now: float) -> float | None:
        """Return the seconds that it will still take by its own speed; None while that is not known."""
        if self.first is None or self.last is None or not self.last[1] > self.first[1]:
            return None
        speed = (self.last[1] - self.first[1]) / max(self.last[0] - self.first[0], 1e-9)
        return max((1 - self.last[1]) / speed - (now - self.last[0]), 0.0)


class TimeLeft:
    """The time that a run will still take, updated by the events of the run.

    A stage that reports epochs is judged by its own speed, any other by its estimate, corrected by how the finished
    stages held to theirs. So the time moves while a stage is at work.

    Args:
        stages: the stages of the run, with estimates.
        clock: gives the time in seconds; None: the system's.
    """

    def __init__(self, stages: Iterable[StageInfo] = (), clock: Callable[[], float] | None = None) -> None:
        self._estimates = {stage.key: stage.seconds or 0.0 for stage in stages}
        self._clock = clock or time.monotonic
        self._running: dict[str, _Running] = {}
        self._took, self._expected = _TRUST, _TRUST

    def begins(self, key: str) -> None:
        """Note that a stage begins."""
        self._running[key] = _Running(self._clock())

    def epoch(self, key: str, epoch: Epoch, *, ended: bool) -> None:
        """Note that an epoch of a stage begins or has ended."""
        if key in self._running:
            self._running[key].tell(self._clock(), (epoch.index + ended) / max(epoch.total, 1))

    def ends(self, key: str) -> None:
        """Note that a stage has ended."""
        running, expected = self._running.pop(key, None), self._estimates.pop(key, 0.0)
        if running is not None and expected:
            self._took += self._clock() - running.began
            self._expected += expected

    def of(self, key: str) -> float | None:
        """Return the seconds that a stage at work will still take, by its own speed; None while that is not known."""
        running = self._running.get(key)
        return None if running is None else running.left(self._clock())

    def words(self) -> str:
        """Return the time that is left, as ``about 8 s left``; ``over`` where a stage takes longer than expected."""
        seconds, at_work = self.seconds(), list(self._running.items())
        late = any(self._of(key, running) == 0 for key, running in at_work)
        if late and seconds < 1:
            return "longer than expected"
        return f"{'over' if late else 'about'} {duration(seconds)} left"

    def seconds(self) -> float:
        """Return the seconds that all that has not ended will still take."""
        at_work = [self._of(key, running) for key, running in list(self._running.items())]
        waiting = sum(seconds for key, seconds in list(self._estimates.items()) if key not in self._running)
        together = (sum(at_work) + waiting * self._took / self._expected) / max(len(at_work), 1)
        return max([together, *at_work])

    def _of(self, key: str, running: _Running) -> float:
        """Return the seconds that a stage at work will still take, by its speed or else by its estimate."""
        now = self._clock()
        by_speed = running.left(now)
        if by_speed is not None:
            return by_speed
        return max(self._estimates.get(key, 0.0) * self._took / self._expected - (now - running.began), 0.0)
