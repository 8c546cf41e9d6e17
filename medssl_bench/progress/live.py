"""The live view of a run on a terminal: bars, time left, losses, failures, and the leaderboard filling in."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.progress.board import Part, more_tables, parts_of
from medssl_bench.progress.queued import Queued
from medssl_bench.progress.time_left import TimeLeft
from medssl_bench.progress.words import duration, ended, numbers

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from medssl_bench.plugin.watching import Epoch, Outcome, RunInfo, StageInfo
    from medssl_bench.results.leaderboard import Leaderboard

_BAR, _LEAST_BAR, _LEAST_NAME, _GAP = 24, 8, 8, 2
"""Columns of a bar, where there is room for it; of a bar and a name at least; between two columns."""


@dataclass
class _Bar:
    """A stage that is worked on, as it is drawn."""

    title: str
    began: float
    done: int = 0
    total: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    speed: float | None = None


class LiveView:
    """Shows a run on a terminal, never taller than it: what does not fit is counted in its last line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._suite = ""
        self._bars: dict[str, _Bar] = {}
        self._waiting = ""
        self._queued = Queued()
        self._live: Live | None = None
        self._board: list[Part] = []
        self._refresh: Callable[[], Leaderboard] | None = None
        self._left = TimeLeft()
        self._began = 0.0
        self._done = self._total = self._failed = self._blocked = 0

    @hookimpl
    def medssl_run_begins(self, run: RunInfo, refresh: Callable[[], Leaderboard]) -> None:
        """Start drawing."""
        self._suite, self._refresh, self._left = run.suite, refresh, TimeLeft(run.stages)
        self._began = time.monotonic()
        self._done, self._total = run.cached, len(run.stages) + run.cached
        self._failed = self._blocked = 0
        self._queued = Queued()
        self._board = parts_of(refresh())
        self._live = Live(self, console=self._console, refresh_per_second=4, transient=True)
        self._live.start()

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        """Give the stage its bar."""
        self._waiting = ""
        self._queued.leaves(stage.key)
        self._left.begins(stage.key)
        self._bars[stage.key] = _Bar(stage.title, time.monotonic())

    @hookimpl
    def medssl_stage_waits(self, stage: StageInfo, owner: str) -> None:
        """Say what is waited for."""
        self._waiting = f"waiting for {owner}: {stage.title}"

    @hookimpl
    def medssl_stage_queued(self, stage: StageInfo, why: str) -> None:
        """Count it among those that wait in the queue of a cluster."""
        self._bars.pop(stage.key, None)  # its job was taken off the machine
        self._queued.waits(stage.key, why)

    @hookimpl
    def medssl_epoch_begins(self, stage: StageInfo, epoch: Epoch) -> None:
        """Note where a training begins, which may be its middle."""
        self._left.epoch(stage.key, epoch, ended=False)
        if stage.key in self._bars:
            bar = self._bars[stage.key]
            bar.done, bar.total = epoch.index, epoch.total

    @hookimpl
    def medssl_epoch_ends(self, stage: StageInfo, epoch: Epoch) -> None:
        """Move the stage's bar on."""
        self._left.epoch(stage.key, epoch, ended=True)
        if stage.key in self._bars:
            bar = self._bars[stage.key]
            bar.done, bar.total = epoch.index + 1, epoch.total
            bar.metrics, bar.speed = epoch.metrics, epoch.images_per_second

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
            self._console.print(Text(f"failed: {stage.title}: {outcome.reason}", style="red"))
        if self._refresh is not None:
            self._board = parts_of(self._refresh())

    @hookimpl
    def medssl_run_ends(self, run: RunInfo, outcomes: list[Outcome]) -> None:
        """Clear the view, and say how it went."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        took = duration(time.monotonic() - self._began)
        self._console.print(f"{run.suite}: {ended(outcomes)} in {took}", highlight=False, markup=False, soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw the current state. It is called several times a second, so that times change while a stage runs."""
        height = max(console.height - 1, 2)
        lines = self._lines(console, options, [self._overall(options.max_width)])
        lines += self._stages(console, options, height - len(lines))
        lines += self._boards(console, options, height - len(lines))
        for line in lines[:height]:
            yield from line
            yield Segment.line()

    def _overall(self, width: int) -> RenderableType:
        counts = f"{self._done}/{self._total}"
        text = Text(self._left.words())
        if self._failed:
            text.append(f"  {self._failed} failed", style="bold red")
        if self._blocked:
            text.append(f"  {self._blocked} blocked", style="red")
        if self._queued:
            text.append(f"  {self._queued.words()}")
        ended_so_far = self._done + self._failed + self._blocked
        return _line(Text(self._suite, style="bold"), ended_so_far, self._total, counts, self._began, text, width)

    def _stages(self, console: Console, options: ConsoleOptions, room: int) -> list[list[Segment]]:
        """Draw the stages at work, two lines each; of many, the first."""
        bars = list(self._bars.items())
        shown = bars[: max(1, room // 4)]
        drawn: list[RenderableType] = []
        for key, bar in shown:
            left = self._left.of(key)
            words = [
                *([f"{duration(left)} left"] if left is not None else []),
                *([numbers(bar.metrics)] if bar.metrics else []),
                *([f"{bar.speed:,.0f} images/s"] if bar.speed else []),
            ]
            counts = f"{bar.done}/{bar.total}" if bar.total else ""
            drawn.append(_one_line(Text(bar.title, style="bold")))
            drawn.append(_line(None, bar.done, bar.total, counts, bar.began, Text("  ".join(words)), options.max_width))
        if len(bars) > len(shown):
            more = len(bars) - len(shown)
            drawn.append(Text(f"... and {more} more {'stage' if more == 1 else 'stages'} at work", style="dim"))
        if not bars and self._waiting:
            drawn.append(_one_line(Text(self._waiting, style="bold")))
        return self._lines(console, options, drawn)[: max(room, 0)]

    def _boards(self, console: Console, options: ConsoleOptions, room: int) -> list[list[Segment]]:
        """Draw the tables that fit, those that are filling in first, and say what is left out."""
        found: list[list[Segment]] = []
        parts = list(self._board)
        for place, part in enumerate(parts):
            lines = [[Segment("")], *self._lines(console, options, [part.heading, part.table])]
            last = place == len(parts) - 1
            space = room - len(found) - (not last)
            if len(lines) <= space:
                found += lines
                continue
            hidden = parts[place:]
            if not found and space > _LEAST:  # the first alone is too tall
                found += lines[: space - last]
                left = len(lines) - (space - last)
                return [*found, *self._lines(console, options, [_note(f"... and {left} more lines", hidden[1:])])]
            if room > len(found):
                found += self._lines(console, options, [_note("", hidden)])
            break
        return found

    @staticmethod
    def _lines(console: Console, options: ConsoleOptions, parts: list[RenderableType]) -> list[list[Segment]]:
        flat = options.update(height=None)
        return [line for part in parts for line in console.render_lines(part, flat, pad=False)]


_LEAST = 6
"""Lines of a table below which none of it is drawn."""


def _note(text: str, hidden: list[Part]) -> Text:
    tables = more_tables(hidden)
    return _one_line(Text(", ".join(part for part in (text, tables) if part), style="dim"))


def _one_line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _line(
    name: Text | None, done: int, total: int | None, counts: str, began: float, text: Text, width: int
) -> RenderableType:
    """Return a bar with its words, in one line."""
    words = [Text(counts), Text(duration(time.monotonic() - began)), text]
    room = width - sum(word.cell_len + _GAP for word in words)
    bar = max(_LEAST_BAR, min(_BAR, room - (_LEAST_NAME + _GAP if name is not None else 0)))
    drawn = Table.grid(padding=(0, _GAP, 0, 0))
    if name is not None:  # what is said of the run matters more than the end of a long name
        drawn.add_column(no_wrap=True, overflow="ellipsis", max_width=max(room - bar - _GAP, _LEAST_NAME))
    drawn.add_column(width=bar)
    for word in words:
        drawn.add_column(no_wrap=True, overflow="ellipsis", min_width=min(word.cell_len, max(width // 2, 1)))
    progress = ProgressBar(total=total, completed=done, width=bar, pulse=total is None)
    drawn.add_row(*([name] if name is not None else []), progress, *words)
    return drawn
