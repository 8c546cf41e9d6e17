"""Topics of a draft, in sections."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A topic.

    Attributes:
        title: what it is about.
        lines: what records tell.
        author: what they cannot tell, or an empty string.
    """

    title: str
    lines: tuple[str, ...] = ()
    author: str = ""


@dataclass(frozen=True)
class Section:
    """Topics that belong together."""

    title: str
    topics: tuple[Topic, ...]
