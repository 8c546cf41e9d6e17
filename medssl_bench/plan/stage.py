"""Stages, trials and the plan that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from medssl_bench.plan.keys import content_key
from medssl_bench.plugin.watching import StageInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.costs.units import Work
    from medssl_bench.datasets import DatasetInfo

StageKind = Literal["pretrain", "embed", "evaluate", "analyse"]

REVISIONS: dict[StageKind, int] = {"pretrain": 1, "embed": 1, "evaluate": 1, "analyse": 1}
"""Raise one whenever the harness' own part of such a stage gives other results than before (a golden-number test
watches), so that results made by the older one are computed again."""

MULTI_LABEL_METRICS = 2
"""Raise it if those of multi-label sets alone change. 2: balanced accuracy leaves out labels with one kind of image."""

BFLOAT16_REVISION = 2
"""The same of what is computed in bfloat16; it is in the keys of such stages alone, so that float32 results stay.

2: losses, similarities that are compared, and the classifier of a fine-tuning are float32.
"""


@dataclass(frozen=True)
class Stage:
    """A unit of work with a result that can be reused, described by data alone.

    Attributes:
        key: content key; of a pending stage, a provisional one that starts with ``pending-``.
        kind: what is done.
        title: what it is for, in words; unique in a plan. Stages of two plans with one title under two keys are one
            piece of work whose settings have changed.
        identity: what the key hashes.
        spec: what a worker needs to do it.
        parents: keys of the stages that it builds on.
        images: images it processes in training, or None while the data has not been seen.
        speed_group: stages with the same value take about as long for the same work.
        work: what it does, in the units of `medssl_bench.costs.units`; None while the data has not been seen.
    """

    key: str
    kind: StageKind
    title: str
    identity: dict[str, Any]
    spec: dict[str, Any]
    parents: tuple[str, ...] = ()
    images: int | None = None
    speed_group: str = ""
    work: Work | None = None

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
        epochs_scale: factor on every pretraining and fine-tuning; below 1 all results are marked as scaled.
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
    _titles: set[str] = field(default_factory=set, repr=False, compare=False)

    def wanted(self) -> list[str]:
        """Return the keys of the stages whose results are shown; the others only serve them."""
        return list(dict.fromkeys([t.stage for t in self.trials] + [a.stage for a in self.analyses]))

    def add_stage(
        self,
        kind: StageKind,
        title: str,
        decides: dict[str, Any],
        spec: dict[str, Any],
        *,
        parents: Sequence[Stage],
        pending: bool,
        images: int | None,
        speed_group: str = "",
        work: Work | None = None,
    ) -> Stage:
        """Add a stage, or return the one with this key that is there already.

        Args:
            kind: what is done.
            title: what it is for, in words.
            decides: what decides its result, beside its parents; the key hashes it.
            spec: what a worker needs to do it.
            parents: the stages that it builds on.
            pending: whether its data has not been seen yet.
            images: images it processes in training, or None while that is unknown.
            speed_group: stages with the same value take about as long for the same work.
            work: what it does, or None while that is unknown.
        """
        pending = pending or any(parent.pending for parent in parents)
        keys = tuple(parent.key for parent in parents)
        identity = {**decides, "stage": kind, "revision": REVISIONS[kind], "parents": list(keys)}
        if self.epochs_scale < 1 and kind in {"pretrain", "evaluate"}:
            identity["epochs_scale"] = self.epochs_scale
        key = content_key(identity)
        if pending:
            key = f"pending-{key[:32]}"
        if key not in self.stages:
            spec = {**spec, "epochs_scale": self.epochs_scale}
            title = self._unique(title)
            self.stages[key] = Stage(key, kind, title, identity, spec, keys, images, speed_group, work)
        return self.stages[key]

    def _unique(self, title: str) -> str:
        """Return a title that no other stage has; `StageMaker` sees to it, but names of arms can be anything."""
        found, number = title, 1
        while found in self._titles:
            number += 1
            found = f"{title} · number {number}"
        self._titles.add(found)
        return found
