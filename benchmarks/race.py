"""Arms timed against each other: they are interleaved, so noise hits all of them equally."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Self


@dataclass(frozen=True)
class Entry:
    """An arm that takes part.

    Attributes:
        label: for the table.
        arm: its module in ``benchmarks.arms``.
        settings: of `benchmarks.arms.Settings`.
        steps: of a block.
    """

    label: str
    arm: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 10

    @property
    def batch(self) -> int:
        """Images of a step."""
        return int(self.settings.get("batch", 256))


@dataclass(frozen=True)
class Times:
    """Seconds of a step of an arm, one number a round."""

    entry: Entry
    seconds: tuple[float, ...]

    @property
    def milliseconds(self) -> float:
        """The median."""
        return 1000 * median(self.seconds)

    @property
    def speed(self) -> float:
        """Images per second, the median."""
        return self.entry.batch / median(self.seconds)

    @property
    def spread(self) -> float:
        """Distance of the slowest from the fastest round, as a part of the median."""
        return (max(self.seconds) - min(self.seconds)) / median(self.seconds)

    def times_as_fast_as(self, other: Times) -> float:
        """Return how many times as fast this arm is, image by image: the median over the rounds."""
        pairs = zip(self.seconds, other.seconds, strict=True)
        return median((self.entry.batch / own) / (other.entry.batch / others) for own, others in pairs)


def race(entries: Sequence[Entry], rounds: int) -> list[Times]:
    """Return the times of arms.

    Args:
        entries: what takes part; each runs in a process of its own, which waits while others run.
        rounds: how often each runs a block; in every other round they run in the opposite order.
    """
    found: dict[int, list[float]] = {place: [] for place in range(len(entries))}
    with ExitStack() as stack:
        arms = [stack.enter_context(_Arm(entry)) for entry in entries]
        for number in range(rounds):
            places = range(len(arms)) if number % 2 == 0 else reversed(range(len(arms)))
            for place in places:
                found[place].append(arms[place].run())
            print(f"  round {number + 1} of {rounds}", file=sys.stderr, flush=True)
    return [Times(entry, tuple(found[place])) for place, entry in enumerate(entries)]


class _Arm:
    """The process of an arm."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.serve", self._entry.arm, json.dumps(dict(self._entry.settings))]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        try:
            self._answer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()  # the end of its input is its end

    def run(self) -> float:
        """Return the seconds of a step of one block."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{self._entry.steps}\n")
        self._process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._entry.label}: its process ended with status {self._process.wait()}; see above")
        return line
