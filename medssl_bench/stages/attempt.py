"""One attempt at a stage: where its files go, who watches, what it goes on from, and what it has cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medssl_bench.checkpoints import Checkpoints
from medssl_bench.stages.energy import EnergyMeter

Report = Callable[[int, int, Mapping[str, float], float | None], None]


@dataclass(frozen=True)
class Attempt:
    """What a stage is given to do its work.

    Attributes:
        folder: where to leave its files.
        report: to be called when an epoch begins and when it ends, with its number, their total, metrics (none at the
            beginning) and images per second, or None.
        checkpoints: where to go on from, and where to save.
    """

    folder: Path
    report: Report = lambda *_: None
    checkpoints: Checkpoints = field(default_factory=Checkpoints)


class Meter:
    """What a stage has cost, earlier attempts included as far as they got: what came after their checkpoint is lost.

    Args:
        before: what had been spent up to the checkpoint, from `spent`; empty without one.
    """

    def __init__(self, before: Mapping[str, Any]) -> None:
        self._before = before
        self._wall, self._processor, self._energy = time.perf_counter(), time.process_time(), EnergyMeter()

    @property
    def wall_seconds(self) -> float:
        """Seconds of this attempt alone."""
        return time.perf_counter() - self._wall

    def spent(self) -> dict[str, Any]:
        """Return wall and processor seconds, joules (None where no meter can be read), and how often it was resumed."""
        joules, earlier = self._energy.joules(), self._before.get("energy_joules", 0.0)
        return {
            "wall_seconds": self._before.get("wall_seconds", 0.0) + self.wall_seconds,
            "processor_seconds": self._before.get("processor_seconds", 0.0) + time.process_time() - self._processor,
            "energy_joules": None if joules is None or earlier is None else earlier + joules,
            "resumed": self._before["resumed"] + 1 if self._before else 0,
        }
