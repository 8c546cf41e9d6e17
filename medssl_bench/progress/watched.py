"""What a run is at, from what its watchers learn; the views draw it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.progress.board import Part, parts_of
from medssl_bench.progress.queued import Queued
from medssl_bench.progress.time_left import TimeLeft
from medssl_bench.progress.words import duration, ended, numbers

if TYPE_CHECKING:
    from medssl_bench.plugin.watching import Epoch, Outcome, RunInfo, StageInfo
    from medssl_bench.results.leaderboard import Leaderboard


@dataclass
class Bar:
    """A stage that is worked on, as it is drawn."""

    title: str
    began: float
    done: int = 0
    total: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    speed: float | None = None

    def words(self, left: float | None) -> str:
        """Return what is said beside it; `left` has the seconds that it will still take, or None."""
        parts = [
            *([f"{duration(left)} left"] if left is not None else []),
            *([numbers(self.metrics)] if self.metrics else []),
            *([f"{self.speed:,.0f} images/s"] if self.speed else []),
        ]
        return "  ".join(parts)

    @property
    def counts(self) -> str:
        """How many epochs are done, of how many."""
        return f"{self.done}/{self.total}" if self.total else ""


class WatchedRun:
    """Keeps what a run is at; a view says in `_begins`, `_changes`, `_fails` and `_ends` how it shows that."""

    def __init__(self) -> None:
        self._suite = ""
        self._bars: dict[str, Bar] = {}
        self._waiting = ""
        self._queued = Queued()
        self._board: list[Part] = []
        self._refresh: Callable[[], Leaderboard] | None = None
        self._left = TimeLeft()
        self._began = 0.0
        self._done = self._total = self._failed = self._blocked = 0

    def _begins(self) -> None:
        """Start drawing."""

    def _changes(self, *, soon: bool = True) -> None:
        """Draw what has changed; `soon` is false of epochs, of which there may be many in a second."""

    def _fails(self, text: str) -> None:
        """Show a failure."""

    def _ends(self, text: str) -> None:
        """Stop drawing, and say how the run went."""

    @property
    def _ended(self) -> int:
        return self._done + self._failed + self._blocked

    @hookimpl
    def medssl_run_begins(self, run: RunInfo, refresh: Callable[[], Leaderboard]) -> None:
        """Start drawing."""
        self._suite, self._refresh, self._left = run.suite, refresh, TimeLeft(run.stages)
        self._began = time.monotonic()
        self._done, self._total = run.cached, len(run.stages) + run.cached
        self._failed = self._blocked = 0
        self._queued = Queued()
        self._waiting = "starting"  # libraries are imported, and workers started: seconds in which no stage is at work
        self._board = parts_of(refresh())
        self._begins()

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        """Give the stage its bar."""
        self._waiting = ""
        self._queued.leaves(stage.key)
        self._left.begins(stage.key)
        self._bars[stage.key] = Bar(stage.title, time.monotonic())
        self._changes()

    @hookimpl
    def medssl_stage_waits(self, stage: StageInfo, owner: str) -> None:
        """Say what is waited for."""
        self._waiting = f"waiting for {owner}: {stage.title}"
        self._changes()

    @hookimpl
    def medssl_stage_queued(self, stage: StageInfo, why: str) -> None:
        """Count it among those that wait in the queue of a cluster."""
        self._bars.pop(stage.key, None)  # its job was taken off the machine
        self._queued.waits(stage.key, why)
        self._changes()

    @hookimpl
    def medssl_epoch_begins(self, stage: StageInfo, epoch: Epoch) -> None:
        """Note where a training begins, which may be its middle."""
        self._left.epoch(stage.key, epoch, ended=False)
        if stage.key in self._bars:
            bar = self._bars[stage.key]
            bar.done, bar.total = epoch.index, epoch.total
        self._changes(soon=False)

    @hookimpl
    def medssl_epoch_ends(self, stage: StageInfo, epoch: Epoch) -> None:
        """Move the stage's bar on."""
        self._left.epoch(stage.key, epoch, ended=True)
        if stage.key in self._bars:
            bar = self._bars[stage.key]
            bar.done, bar.total = epoch.index + 1, epoch.total
            bar.metrics, bar.speed = epoch.metrics, epoch.images_per_second
        self._changes(soon=False)

    @hookimpl
    def medssl_stage_ends(self, stage: StageInfo, outcome: Outcome) -> None:
        """Count the stage, and let the leaderboard fill in."""
        self._bars.pop(stage.key, None)
        self._queued.leaves(stage.key)
        self._left.ends(stage.key)
        self._done += outcome.status == "done"
        self._failed += outcome.status == "failed"
        self._blocked += outcome.status == "blocked"
        if outcome.status == "failed":
            self._fails(f"failed: {stage.title}: {outcome.reason}")
        if self._refresh is not None:
            self._board = parts_of(self._refresh())
        self._changes(soon=outcome.status == "failed")

    @hookimpl
    def medssl_run_ends(self, run: RunInfo, outcomes: list[Outcome]) -> None:
        """Clear the view, and say how it went."""
        self._bars.clear()
        self._ends(f"{run.suite}: {ended(outcomes)} in {duration(time.monotonic() - self._began)}")
