"""The errors that a user can cause, each printed in one line."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


OUT_OF_MEMORY = "out of memory"
"""Prefix of the reason of an out-of-memory failure."""

_LONGEST_WORD = 200
"""Characters of what may be a misspelt name; to compare takes time by the square of their number."""

_BEGINNING = 3
"""Characters that the beginning of a name has at least."""

_LONGEST = 1500
"""Largest number of characters of a message; a longer one shows a whole value."""


def printable(text: str) -> str:
    """Return a text as one line that a terminal shows as it is.

    Names of files and values of suites may hold line breaks, control sequences and marks that turn the order of
    letters round: they are written as escapes.
    """
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


@dataclass(frozen=True)
class Position:
    """A line of a file (1-based)."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class UserError(Exception):
    """Something the user can put right; the command line prints it as one line and exits with status 2."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback, which says nothing of what to put right."""
        return [f"{type(self).__name__}: {self}"]


class PluginError(UserError):
    """A plugin, or a component of one, cannot be used."""


class DataError(UserError):
    """A data set cannot be had, or its content is not what it must be."""


class StoreError(UserError):
    """A store cannot be read or written."""


class DamagedError(StoreError):
    """A finished stage is not what was written; it has been set aside, and another run computes it again."""


class NotReadable(StoreError):
    """A file of a store is there, and this user may not read it."""


class StageError(Exception):
    """A stage cannot finish; it is recorded as failed and the stages beside it go on."""


class LeaseLost(Exception):
    """Another process has taken over the stage that this one worked on."""


class PlainWarning(UserWarning):
    """Something a user should know; the command line prints it as one line, without a place in the code."""


class DamageWarning(PlainWarning):
    """The result of a finished stage is not what was written; it is set aside and computed again."""


class FontWarning(PlainWarning):
    """A figure holds letters that no font of this machine has."""


class LeakWarning(PlainWarning):
    """Images or groups of a data set are in two of its splits, so numbers on it are too good."""


class EncoderWarning(PlainWarning):
    """An encoder is not all that its file of weights holds."""


class WatcherWarning(PlainWarning):
    """A plugin that watches a run has raised, and watches no longer."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a suite.

    Attributes:
        position: file and line, where known.
        key: dotted path of the offending key, such as ``comparison[0].labels[1]``.
        message: what is wrong and what to do.
    """

    position: Position | None
    key: str
    message: str

    def __str__(self) -> str:
        parts = ("" if self.position is None else str(self.position), self.key, self.message)
        return printable(": ".join(part for part in parts if part))


class SuiteError(UserError):
    """A suite is not valid; it carries every problem that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    @classmethod
    def at(cls, position: Position, key: str, message: str) -> SuiteError:
        """Return the error of a single problem."""
        return cls([Problem(position, key, message)])


def told(error: BaseException) -> str:
    """Return an error of a component in one line, with its type unless its message is meant for users."""
    text = (
        str(error) if isinstance(error, UserError | ValueError) and str(error) else f"{type(error).__name__}: {error}"
    )
    return " ".join(text.split()).removesuffix(":")


def quoted(names: Iterable[object]) -> str:
    """Return names of arms, data sets and the like for a message: they may hold spaces, commas and signs."""
    return ", ".join(repr(str(name)) for name in names)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known word nearest to `word`, or an empty string."""
    nearest = nearest_to(word, tuple(known))
    return f" (did you mean {nearest!r}?)" if nearest else ""


@lru_cache(maxsize=10_000)
def nearest_to(word: str, known: tuple[str, ...]) -> str:
    """Return the known word nearest to `word`, or an empty string; a long text is near to none.

    Capital letters do not count. The beginning of one word alone, as ``acc`` of ``accuracy``, is near to it.
    """
    if len(word) > _LONGEST_WORD:
        return ""
    lower = {each.casefold(): each for each in known}
    begun = [each for each in lower if each.startswith(word.casefold())] if len(word) >= _BEGINNING else []
    nearest = begun if len(begun) == 1 else get_close_matches(word.casefold(), lower, n=1, cutoff=0.6)
    return lower[nearest[0]] if nearest else ""
