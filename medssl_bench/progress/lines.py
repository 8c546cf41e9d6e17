"""Lines of a log: one when a stage begins, one when it ends, and one a minute in between."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.progress.queued import Queued
from medssl_bench.progress.time_left import TimeLeft
from medssl_bench.progress.words import duration, ended, numbers

if TYPE_CHECKING:
    from rich.console import Console

    from medssl_bench.plugin.watching import Epoch, Outcome, RunInfo, StageInfo


_QUIET_SECONDS = 60.0
"""How long a log may say nothing of a stage that trains."""

_SHORT_SECONDS = 60.0
"""The time left is shown if it is longer than this."""


class PlainLines:
    """Shows a run as lines of text.

    Args:
        console: where to.
        every: seconds that it may say nothing of a stage that trains; 0: each epoch has a line.
        dated: whether each line begins with its time, in UTC.
    """

    def __init__(self, console: Console, *, every: float = _QUIET_SECONDS, dated: bool = False) -> None:
        self._console = console
        self._every, self._dated = every, dated
        self._numbers: dict[str, int] = {}
        self._total = 0
        self._failed = 0
        self._began = time.monotonic()
        self._left = TimeLeft()
        self._queued, self._queue_told = Queued(), (-_QUIET_SECONDS, "")
        self._told: dict[str, float] = {}
        """When the last line of each running stage was printed, by key."""

    @hookimpl
    def medssl_run_begins(self, run: RunInfo) -> None:
        """Say what is going to be done."""
        self._numbers, self._failed, self._total, self._began = {}, 0, len(run.stages), time.monotonic()
        self._left, self._queued = TimeLeft(run.stages), Queued()
        expected = duration(sum(stage.seconds or 0 for stage in run.stages))
        self._print(f"{run.suite}: {self._total} stages to run, {run.cached} done already, about {expected}")

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        """Say which stage begins."""
        self._queued.leaves(stage.key)
        self._left.begins(stage.key)
        self._told[stage.key] = time.monotonic()
        self._print(f"[{self._count(stage)}/{self._total}] {stage.title}")

    @hookimpl
    def medssl_epoch_begins(self, stage: StageInfo, epoch: Epoch) -> None:
        """Note where a training begins, which may be its middle."""
        self._left.epoch(stage.key, epoch, ended=False)

    @hookimpl
    def medssl_epoch_ends(self, stage: StageInfo, epoch: Epoch) -> None:
        """Say how far a long stage is."""
        self._left.epoch(stage.key, epoch, ended=True)
        now = time.monotonic()
        done = epoch.index + 1
        if now - self._told.setdefault(stage.key, now) < self._every or (done == epoch.total and self._every):
            return
        self._told[stage.key] = now
        left = self._left.of(stage.key)
        about = f"  about {duration(left)} left" if left is not None else ""
        self._under(stage, f"epoch {done} of {epoch.total}  {numbers(epoch.metrics)}{about}")

    @hookimpl
    def medssl_stage_waits(self, stage: StageInfo, owner: str) -> None:
        """Say what is waited for."""
        self._print(f"waiting for {owner}: {stage.title}")

    @hookimpl
    def medssl_stage_queued(self, stage: StageInfo, why: str) -> None:
        """Say how many wait in the queue of a cluster: when that changes, and once a minute at most."""
        self._queued.waits(stage.key, why)
        self._told.pop(stage.key, None)  # its job was taken off the machine
        now, (before, words) = time.monotonic(), self._queue_told
        if now - before >= _QUIET_SECONDS and self._queued.words() != words:
            self._queue_told = (now, self._queued.words())
            self._print(f"{self._queued.words()}, {len(self._told)} at work")

    @hookimpl
    def medssl_stage_ends(self, stage: StageInfo, outcome: Outcome) -> None:
        """Say how it ended."""
        self._failed += outcome.status == "failed"
        self._left.ends(stage.key)
        self._queued.leaves(stage.key)
        if outcome.elsewhere or outcome.status == "blocked":  # it has not begun here
            self._print(f"[{self._count(stage)}/{self._total}] {stage.title}")
        if outcome.elsewhere:
            where = "in another process" if outcome.status == "done" else "before"
            self._under(stage, f"{outcome.status} {where}  {outcome.reason or numbers(outcome.metrics)}".rstrip())
            self._flags(stage, outcome)
            return
        text = outcome.reason if outcome.status != "done" else numbers(outcome.metrics)
        self._under(stage, f"{outcome.status} in {duration(outcome.seconds)}  {text}".rstrip() + self._rest())
        self._flags(stage, outcome)
        self._told.pop(stage.key, None)

    @hookimpl
    def medssl_run_ends(self, run: RunInfo, outcomes: list[Outcome]) -> None:
        """Say how it went."""
        self._print(f"{run.suite}: {ended(outcomes)} in {duration(time.monotonic() - self._began)}")

    def _count(self, stage: StageInfo) -> int:
        """Return the number of a stage: one that begins twice, as its worker has died, keeps its own."""
        return self._numbers.setdefault(stage.key, len(self._numbers) + 1)

    def _rest(self) -> str:
        """Return what a reader of a long log looks for: the time that is left, and whether all goes well."""
        told = [self._left.words()] if self._left.seconds() > _SHORT_SECONDS else []
        told += [f"{self._failed} failed so far"] if self._failed else []
        return f"  ({', '.join(told)})" if told else ""

    def _flags(self, stage: StageInfo, outcome: Outcome) -> None:
        for sentence in outcome.flags.values():
            self._under(stage, f"note: {sentence}")

    def _under(self, stage: StageInfo, text: str) -> None:
        """Say something of a stage; which one, where several are worked on."""
        others = self._told.keys() - {stage.key}
        self._print(f"    {stage.title}: {text}" if others else f"    {text}")

    def _print(self, text: str) -> None:
        if self._dated:
            text = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ} {text}"
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def log_lines(stream: TextIO, *, verbose: bool = False) -> PlainLines:
    """Return the plugin that writes a run into a file, each line with its time and at once.

    Args:
        stream: the open file.
        verbose: write a line for each epoch.
    """
    from rich.console import Console

    console = Console(file=stream, no_color=True, width=10_000, force_terminal=False)
    return PlainLines(console, every=0 if verbose else _QUIET_SECONDS, dated=True)
