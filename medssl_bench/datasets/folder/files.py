"""Image files as they are read: what a folder, a table and images without labels have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Files(Protocol):
    """Image files below a folder, and the class number of each, for messages that name a class."""

    @property
    def root(self) -> Path:
        """The folder."""

    @property
    def names(self) -> Sequence[str]:
        """Their paths below it, with forward slashes."""

    @property
    def labels(self) -> Sequence[int]:
        """The class number of each."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes."""
