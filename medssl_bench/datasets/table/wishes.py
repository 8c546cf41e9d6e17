"""What a suite says of a table's columns and of where its images are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from medssl_bench.datasets.base import SplitName


@dataclass(frozen=True)
class Wishes:
    """What a suite says; `table` documents each."""

    image: str
    label: str | list[str]
    root: Path
    folders: tuple[str, ...]
    ending: str
    split: str | None
    splits: Mapping[SplitName, Sequence[str]] | None
    group: str | None
    shared_groups: bool
    where: Mapping[str, Sequence[str]]
    leave_out_missing: bool
