"""What the watching hooks are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class StageInfo:
    """A stage, as watchers see it.

    Attributes:
        key: content key, 64 hexadecimal digits.
        kind: ``pretrain``, ``embed``, ``evaluate`` or ``analyse``.
        title: one line for people, such as ``simclr nat on bloodmnist, seed 0``.
        seconds: expected duration in seconds, or None.
    """

    key: str
    kind: str
    title: str
    seconds: float | None = None


@dataclass(frozen=True)
class RunInfo:
    """A run, as watchers see it.

    Attributes:
        suite: name of the suite.
        store: folder of the store.
        stages: the stages that will be run, in order.
        cached: how many stages of the plan are finished already.
    """

    suite: str
    store: Path
    stages: tuple[StageInfo, ...]
    cached: int


@dataclass(frozen=True)
class Epoch:
    """One epoch of training.

    Attributes:
        index: 0-based.
        total: number of epochs of the stage.
        metrics: such as ``loss``; empty when the epoch begins.
        images_per_second: images of the set (not views) that were trained on per second of wall time.
    """

    index: int
    total: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    images_per_second: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a stage ended.

    Attributes:
        stage: the stage.
        status: ``done``, ``failed``, or ``blocked`` when a stage it builds on has failed.
        seconds: wall time.
        metrics: the headline metrics of a finished stage.
        reason: why it failed, in one line.
        elsewhere: another process, or an earlier run, has ended it.
        flags: what a reader must know before its result is believed: a sentence of one line by a code.
    """

    stage: StageInfo
    status: Literal["done", "failed", "blocked"]
    seconds: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    elsewhere: bool = False
    flags: Mapping[str, str] = field(default_factory=dict)


class Board(Protocol):
    """The leaderboard of a run as it stands, as watchers need it: a `medssl_bench.Leaderboard`."""

    @property
    def suite(self) -> str:
        """Name of the suite."""

    @property
    def is_empty(self) -> bool:
        """Whether no cell has a value."""

    def to_frame(self) -> Any:
        """Return the numbers as a pandas DataFrame."""
