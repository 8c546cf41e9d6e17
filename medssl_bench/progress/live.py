"""The live view of a run on a terminal: bars, time left, losses, failures, and the leaderboard filling in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from medssl_bench.progress.board import Part, more_tables
from medssl_bench.progress.watched import WatchedRun
from medssl_bench.progress.words import duration
from medssl_bench.results.formats.console import GridView

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

_BAR, _LEAST_BAR, _LEAST_NAME, _GAP = 24, 8, 8, 2
"""Columns of a bar, where there is room for it; of a bar and a name at least; between two columns."""


class LiveView(WatchedRun):
    """Shows a run on a terminal, never taller than it: what does not fit is counted in its last line.

    Args:
        console: the terminal. It is drawn several times a second, whatever the run does.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._live: Live | None = None

    def _begins(self) -> None:
        self._live = Live(self, console=self._console, refresh_per_second=4, transient=True)
        self._live.start()

    def _fails(self, text: str) -> None:
        self._console.print(Text(text, style="red"))

    def _ends(self, text: str) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)

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
        return _line(Text(self._suite, style="bold"), self._ended, self._total, counts, self._began, text, width)

    def _stages(self, console: Console, options: ConsoleOptions, room: int) -> list[list[Segment]]:
        """Draw the stages at work, two lines each; of many, the first."""
        bars = list(self._bars.items())
        shown = bars[: max(1, room // 4)]
        drawn: list[RenderableType] = []
        for key, bar in shown:
            words = Text(bar.words(self._left.of(key)))
            drawn.append(_one_line(Text(bar.title, style="bold")))
            drawn.append(_line(None, bar.done, bar.total, bar.counts, bar.began, words, options.max_width))
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
            heading = Text(part.heading, style="bold cyan", no_wrap=True, overflow="ellipsis")
            table = GridView(part.grid, compact=True)
            lines = [[Segment("")], *self._lines(console, options, [heading, table])]
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
