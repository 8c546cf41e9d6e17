"""What the watching hooks are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol


@dataclass(frozen=True)
class ArmInfo:
    """An arm of a comparison.

    Attributes:
        comparison: id of the comparison.
        name: name of the arm, unique in its comparison.
    """

    comparison: str
    name: str


@dataclass(frozen=True)
class StageInfo:
    """A stage, as watchers see it.

    What a stage is of (`arms` and all that follows) is empty where nothing says it, as for a failure that an earlier
    run has left.

    Attributes:
        key: content key, 64 hexadecimal digits.
        kind: ``pretrain``, ``embed``, ``evaluate``, ``analyse``, ``corrupt`` or ``transfer``.
        title: one line for people, such as ``simclr nat on bloodmnist, seed 0``.
        seconds: expected duration in seconds, or None.
        arms: the arms that need it, in the order of the suite; several often share a stage.
        dataset: label of the data set that it trains on or describes; of a pretraining on several, with `` + `` between
            them.
        labels: the label budget that decides its result, such as ``100``; empty: none does.
        seed: the training seed that decides its result; None: none does.
        draw: the label draw that decides its result; None: none does.
        fold: number of the fold that is tested; None: the data set has its own splits.
        recipe: names of the recipes that made its encoder, in order, with `` + `` between them; empty: none did.
        method: names of their methods, likewise.
        seeds: how many training seeds the comparison has that needs it, whatever part of them is run; the most of
            several.
        draws: likewise, how many label draws.
        on: what else a trained classifier predicts: the name of a corruption, or the label of another data set.
        parameters: its settings as a suite writes them, defaults included: JSON-able values by name, and components as
            mappings with their ``name``.
    """

    key: str
    kind: str
    title: str
    seconds: float | None = None
    arms: tuple[ArmInfo, ...] = ()
    dataset: str = ""
    labels: str = ""
    seed: int | None = None
    draw: int | None = None
    fold: int | None = None
    recipe: str = ""
    method: str = ""
    on: str = ""
    seeds: int | None = None
    draws: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)


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
