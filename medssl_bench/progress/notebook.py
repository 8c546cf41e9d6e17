"""The view of a run in a notebook: one output below the cell, which is drawn again as the run goes on."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from medssl_bench.markup import block, line, strong
from medssl_bench.progress.board import more_tables
from medssl_bench.progress.watched import WatchedRun
from medssl_bench.progress.words import duration
from medssl_bench.results.formats.html import grid_table

if TYPE_CHECKING:
    from medssl_bench.progress.watched import Bar

_OFTEN = 0.25
"""Seconds between two drawings for epochs alone: a notebook takes no hundreds of them in a second."""

_BARS, _FAILURES = 6, 10
"""Stages at work and failures that are shown; of more, their number."""


class NotebookView(WatchedRun):
    """Shows a run in a notebook, by IPython's display messages: no widgets are needed, and the last state is saved."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Any = None
        self._drawn = 0.0
        self._failures: list[str] = []

    def _begins(self) -> None:
        from IPython.display import display

        _import_tqdm()
        self._failures = []
        self._shown = display({"text/html": self._html(), "text/plain": self._plain()}, raw=True, display_id=True)
        self._drawn = time.monotonic()

    def _changes(self, *, soon: bool = True) -> None:
        now = time.monotonic()
        if self._shown is not None and (soon or now - self._drawn >= _OFTEN):
            self._drawn = now
            self._draw(self._html(), self._plain())

    def _fails(self, text: str) -> None:
        self._failures.append(text)

    def _ends(self, text: str) -> None:
        if self._shown is not None:
            self._draw(block([line(strong(text)), *self._told_failures()]), text)
            self._shown = None

    def _draw(self, html: str, plain: str) -> None:
        self._shown.update({"text/html": html, "text/plain": plain}, raw=True)

    def _plain(self) -> str:
        """Return what is shown where there is no HTML."""
        return f"{self._suite}: {self._ended}/{self._total}  {self._left.words()}"

    def _html(self) -> str:
        return block([*self._lines(), *self._told_failures(), *self._tables()])

    def _lines(self) -> Iterator[Markup]:
        words = [f"{self._done}/{self._total}", duration(time.monotonic() - self._began), self._left.words()]
        words += [f"{self._failed} failed"] if self._failed else []
        words += [f"{self._blocked} blocked"] if self._blocked else []
        words += [self._queued.words()] if self._queued else []
        yield line(_with_bar(strong(self._suite), self._ended, self._total, "  ".join(words)))
        for key, bar in list(self._bars.items())[:_BARS]:
            yield line(_stage(bar, self._left.of(key)))
        if (more := len(self._bars) - _BARS) > 0:
            yield line(f"... and {more} more {'stage' if more == 1 else 'stages'} at work", "quiet")
        if not self._bars and self._waiting:
            yield line(self._waiting)

    def _told_failures(self) -> Iterator[Markup]:
        for text in self._failures[:_FAILURES]:
            yield line(text, "bad")
        if (more := len(self._failures) - _FAILURES) > 0:
            yield line(f"... and {more} more failed", "bad")

    def _tables(self) -> Iterator[Markup]:
        for part in self._board[:1]:
            yield line(strong(part.heading))
            yield grid_table(part.grid, compact=True)
        if hidden := more_tables(self._board[1:]):
            yield line(hidden, "quiet")


def _import_tqdm() -> None:
    """Import tqdm, as libraries of encoders do: in a notebook it warns of missing widgets, which nothing here needs."""
    with warnings.catch_warnings(), suppress(ImportError):
        warnings.simplefilter("ignore")
        import_module("tqdm.auto")


def _stage(bar: Bar, left: float | None) -> Markup:
    words = "  ".join(part for part in (bar.counts, duration(time.monotonic() - bar.began), bar.words(left)) if part)
    return _with_bar(Markup.escape(bar.title) + Markup("<br>"), bar.done, bar.total, words)


def _with_bar(name: Markup, done: int, total: int | None, words: str) -> Markup:
    """Return a name, a bar, and words about it; of an unknown total the bar says that something is at work."""
    drawn = Markup("<progress></progress>")
    if total:
        drawn = Markup('<progress value="{}" max="{}"></progress>').format(done, total)
    told = words.replace("  ", " · ")  # HTML has no second blank
    return Markup('{} {} <span class="quiet">{}</span>').format(name, drawn, told)
