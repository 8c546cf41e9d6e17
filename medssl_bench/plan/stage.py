"""Stages, trials and the plan that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from medssl_bench.plugin.watching import StageInfo

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo

StageKind = Literal["pretrain", "embed", "evaluate", "analyse"]


@dataclass(frozen=True)
class Stage:
    """A unit of work with a result that can be reused, described by data alone.

    Attributes:
        key: content key; of a pending stage, a provisional one that starts with ``pending-``.
        kind: what is done.
        title: what it is for, in words; stages with one title under two keys are one piece of work whose
            settings have changed.
        identity: what the key hashes.
        spec: what a worker needs to do it.
        parents: keys of the stages that it builds on.
        images: images it processes in training, or None while the data has not been seen.
        speed_group: stages with the same value take about the same time per image.
    """

    key: str
    kind: StageKind
    title: str
    identity: dict[str, Any]
    spec: dict[str, Any]
    parents: tuple[str, ...] = ()
    images: int | None = None
    speed_group: str = ""

    @property
    def pending(self) -> bool:
        """Whether its key waits for data that has not been seen."""
        return self.key.startswith("pending-")

    def info(self, seconds: float | None = None) -> StageInfo:
        """Return what watchers see of it."""
        return StageInfo(self.key, self.kind, self.title, seconds)


@dataclass(frozen=True)
class Trial:
    """One cell of a comparison and the stage that fills it.

    Attributes:
        table: id of the comparison.
        arm: name of the arm.
        dataset: label of the data set.
        labels: text of the label budget.
        seed: training seed.
        draw: label draw.
        stage: key of its evaluate stage.
    """

    table: str
    arm: str
    dataset: str
    labels: str
    seed: int
    draw: int
    stage: str


@dataclass(frozen=True)
class AnalysisCell:
    """An analysis of the encoder of an arm; `labels` and `draw` are None for an encoder that no labels shaped."""

    table: str
    analysis: str
    arm: str
    dataset: str
    labels: str | None
    seed: int
    draw: int | None
    stage: str


@dataclass
class Plan:
    """Everything a suite needs, each stage once.

    Attributes:
        suite: name of the suite.
        epochs_scale: factor on every training; below 1 all results are marked as scaled.
        stages: by key; every stage stands after those it builds on.
        trials: the cells of all comparisons.
        analyses: the analyses of all comparisons.
        datasets: what is known of the data sets, by label; None while the data cannot be seen.
    """

    suite: str
    epochs_scale: float = 1.0
    stages: dict[str, Stage] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    analyses: list[AnalysisCell] = field(default_factory=list)
    datasets: dict[str, DatasetInfo | None] = field(default_factory=dict)

    def wanted(self) -> list[str]:
        """Return the keys of the stages whose results are shown; the others only serve them."""
        return list(dict.fromkeys([t.stage for t in self.trials] + [a.stage for a in self.analyses]))
