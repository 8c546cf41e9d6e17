"""What a run shows while it goes on: a live view on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from medssl_bench import hookimpl
from medssl_bench.report.formats.console import render

if TYPE_CHECKING:
    from medssl_bench.plugin.watching import Epoch, Outcome, RunInfo, StageInfo
    from medssl_bench.report.leaderboard import Leaderboard


_QUIET_SECONDS = 60.0
"""How long a log may say nothing of a stage that trains."""


def watcher(console: Console) -> object:
    """Return the plugin that shows a run on a console."""
    return LiveView(console) if console.is_terminal else PlainLines(console)


class PlainLines:
    """One line when a stage begins, one when it ends, and one a minute in between, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0
        self._total = 0
        self._running: dict[str, tuple[float, float]] = {}
        """By key: when a stage began, and when it was last told of."""

    @hookimpl
    def medssl_run_begins(self, run: RunInfo) -> None:
        """Say what is going to be done."""
        self._total = len(run.stages)
        expected = duration(sum(stage.seconds or 0 for stage in run.stages))
        self._print(f"{run.suite}: {self._total} stages to run, {run.cached} done already, about {expected}")

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        """Say which stage begins."""
        self._number += 1
        self._running[stage.key] = (time.monotonic(), time.monotonic())
        self._print(f"[{self._number}/{self._total}] {stage.title}")

    @hookimpl
    def medssl_epoch_ends(self, stage: StageInfo, epoch: Epoch) -> None:
        """Say how far a long stage is."""
        now = time.monotonic()
        done = epoch.index + 1
        began, told = self._running.get(stage.key, (now, now))
        if now - told < _QUIET_SECONDS or done == epoch.total:
            return
        self._running[stage.key] = (began, now)
        left = (now - began) / done * (epoch.total - done)
        self._under(stage, f"epoch {done} of {epoch.total}  {numbers(epoch.metrics)}  about {duration(left)} left")

    @hookimpl
    def medssl_stage_waits(self, stage: StageInfo, owner: str) -> None:
        """Say what is waited for."""
        self._print(f"waiting for {owner}: {stage.title}")

    @hookimpl
    def medssl_stage_ends(self, stage: StageInfo, outcome: Outcome) -> None:
        """Say how it ended."""
        if outcome.elsewhere or outcome.status == "blocked":  # it has not begun here
            self._number += 1
            self._print(f"[{self._number}/{self._total}] {stage.title}")
        if outcome.elsewhere:
            where = "in another process" if outcome.status == "done" else "before"
            self._under(stage, f"{outcome.status} {where}  {outcome.reason or numbers(outcome.metrics)}".rstrip())
            self._flags(stage, outcome)
            return
        text = outcome.reason if outcome.status != "done" else numbers(outcome.metrics)
        self._under(stage, f"{outcome.status} in {duration(outcome.seconds)}  {text}".rstrip())
        self._flags(stage, outcome)
        self._running.pop(stage.key, None)

    def _flags(self, stage: StageInfo, outcome: Outcome) -> None:
        for sentence in outcome.flags.values():
            self._under(stage, f"note: {sentence}")

    def _under(self, stage: StageInfo, text: str) -> None:
        """Say something of a stage; which one, where several are worked on."""
        others = self._running.keys() - {stage.key}
        self._print(f"    {stage.title}: {text}" if others else f"    {text}")

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


class LiveView:
    """Overall and per-stage progress, time left, current losses, and the leaderboard filling in."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._overall = _bars(console)
        self._bars: dict[str, tuple[Text, Progress]] = {}
        """Title and progress of the stages that are worked on, by key."""
        self._waiting = Text()
        self._live: Live | None = None
        self._board: RenderableType = Text()
        self._refresh: Callable[[], Leaderboard] | None = None
        self._left: dict[str, float | None] = {}
        self._began = 0.0
        self._done_estimate = 0.0

    @hookimpl
    def medssl_run_begins(self, run: RunInfo, refresh: Callable[[], Leaderboard]) -> None:
        """Start drawing."""
        self._refresh = refresh
        self._left = {stage.key: stage.seconds for stage in run.stages}
        self._began = time.monotonic()
        self._whole = self._overall.add_task(
            run.suite, total=len(run.stages) + run.cached, completed=run.cached, text=""
        )
        self._live = Live(self._draw(), console=self._console, refresh_per_second=4, transient=True)
        self._update()
        self._live.start()

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        """Give the stage its bar."""
        self._waiting = Text()
        self._bars[stage.key] = (
            Text(stage.title, style="bold", no_wrap=True, overflow="ellipsis"),
            _bars(self._console),
        )
        self._bars[stage.key][1].add_task("", total=None, text="")
        if self._live is not None:
            self._live.update(self._draw())

    @hookimpl
    def medssl_stage_waits(self, stage: StageInfo, owner: str) -> None:
        """Say what is waited for."""
        self._waiting = Text(f"waiting for {owner}: {stage.title}", style="bold", no_wrap=True, overflow="ellipsis")
        if self._live is not None:
            self._live.update(self._draw())

    @hookimpl
    def medssl_epoch_ends(self, stage: StageInfo, epoch: Epoch) -> None:
        """Move the stage's bar on."""
        speed = f"  {epoch.images_per_second:,.0f} images/s" if epoch.images_per_second else ""
        if stage.key in self._bars:
            bar = self._bars[stage.key][1]
            text = numbers(epoch.metrics) + speed
            bar.update(bar.task_ids[0], total=epoch.total, completed=epoch.index + 1, text=text)

    @hookimpl
    def medssl_stage_ends(self, stage: StageInfo, outcome: Outcome) -> None:
        """Count the stage, and let the leaderboard fill in."""
        self._bars.pop(stage.key, None)
        estimate = self._left.pop(stage.key, None)
        self._done_estimate += estimate or 0
        self._overall.advance(self._whole)
        if outcome.status == "failed":
            self._console.print(Text(f"failed: {stage.title}: {outcome.reason}", style="red"))
        self._update()

    @hookimpl
    def medssl_run_ends(self) -> None:
        """Clear the view."""
        if self._live is not None:
            self._live.stop()

    def _update(self) -> None:
        self._overall.update(self._whole, text=f"{duration(self._seconds_left())} left")
        if self._refresh is not None:
            self._board = render(self._refresh(), compact=True)
        if self._live is not None:
            self._live.update(self._draw())

    def _seconds_left(self) -> float:
        """Return the expected time, corrected by how the stages so far held to theirs."""
        expected = sum(seconds or 0 for seconds in self._left.values())
        if self._done_estimate < 10:
            return expected
        return expected * (time.monotonic() - self._began) / self._done_estimate

    def _draw(self) -> Group:
        # the bars first: of a board that is longer than the terminal, rich shows the beginning
        stages = [part for bars in self._bars.values() for part in bars] or [self._waiting]
        return Group(self._overall, *stages, Text(), self._board)


def _bars(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", markup=False),
        console=console,
    )


def numbers(metrics: Mapping[str, float]) -> str:
    """Return the metrics that a person follows, as ``loss 1.234  accuracy 0.771``."""
    shown = ("loss", "top1", "val_top1", "val_accuracy", "accuracy", "auroc")
    named = [name for name in shown if name in metrics] or list(metrics)[:3]
    return "  ".join(f"{name.replace('_', ' ')} {metrics[name]:.3f}" for name in named)


def duration(seconds: float) -> str:
    """Return a time as people say it: ``8 s``, ``3 min 20 s``, ``5 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s" if whole else f"{seconds:.1f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
