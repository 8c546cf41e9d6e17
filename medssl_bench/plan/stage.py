"""Stages, trials and the plan that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal

from typing_extensions import TypeVar

from medssl_bench.errors import StageError
from medssl_bench.plan.about import NOTHING, About
from medssl_bench.plan.chance import Chance
from medssl_bench.plan.keys import content_key
from medssl_bench.plan.parameters import parameters_of
from medssl_bench.plan.spec import Spec
from medssl_bench.plugin.watching import StageInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.costs.units import Work
    from medssl_bench.datasets import DatasetInfo

_Spec_co = TypeVar("_Spec_co", bound=Spec, covariant=True, default=Spec)
_OfKind = TypeVar("_OfKind", bound=Spec)


@dataclass(frozen=True)
class Stage(Generic[_Spec_co]):
    """A unit of work with a result that can be reused, described by data alone.

    Attributes:
        key: content key; of a pending stage, a provisional one that starts with ``pending-``.
        title: what it is for, in words; unique in a plan. Stages of two plans with one title under two keys are one
            piece of work whose settings have changed.
        identity: what the key hashes.
        spec: what a worker needs to do it.
        parents: keys of the stages that it builds on.
        images: images it processes in training, or None while the data has not been seen.
        speed_group: stages with the same value take about as long for the same work.
        work: what it does, in the units of `medssl_bench.costs.units`; None while the data has not been seen.
        about: what it is of, in the words of the suite.
    """

    key: str
    title: str
    identity: dict[str, Any]
    spec: _Spec_co
    parents: tuple[str, ...] = ()
    images: int | None = None
    speed_group: str = ""
    work: Work | None = None
    about: About = NOTHING

    @property
    def kind(self) -> str:
        """Name of the kind of stage."""
        return self.spec.kind

    @property
    def features(self) -> str:
        """Key of the embed stage whose features it reads: its first parent.

        Raises:
            StageError: it has no parent, as the record of a damaged stage may say.
        """
        if not self.parents:
            raise StageError(f"{self.title!r} does not say which features it reads")
        return self.parents[0]

    @property
    def pending(self) -> bool:
        """Whether its key waits for data that has not been seen."""
        return self.key.startswith("pending-")

    def info(self, seconds: float | None = None) -> StageInfo:
        """Return what watchers see of it."""
        return StageInfo(self.key, self.kind, self.title, seconds, parameters=self._parameters, **vars(self.about))

    @cached_property
    def _parameters(self) -> dict[str, Any]:
        return parameters_of(self.spec)


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
        fold: number of the fold; None: the data set's own splits.
        variant: which variant of the arm was chosen for it, where there are several; else an empty string.
        tried: stages of all these variants.
    """

    table: str
    arm: str
    dataset: str
    labels: str
    seed: int
    draw: int
    stage: str
    fold: int | None = None
    variant: str = ""
    tried: tuple[str, ...] = ()

    @property
    def chance(self) -> Chance:
        """Its seed, draw and fold."""
        return Chance(self.seed, self.draw, self.fold)


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
    fold: int | None = None


@dataclass(frozen=True)
class Retest:
    """Other images that the classifier of a trial predicts.

    Attributes:
        trial: the trial.
        what: the kind of its stage: ``corrupt`` or ``transfer``.
        on: the corruption, or the label of the other data set.
        stage: key of that stage.
    """

    trial: Trial
    what: str
    on: str
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
        retests: what classifiers predict beside the test images of their data sets.
        datasets: what is known of the data sets, by label; None while the data cannot be seen.
    """

    suite: str
    epochs_scale: float = 1.0
    stages: dict[str, Stage] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)
    analyses: list[AnalysisCell] = field(default_factory=list)
    retests: list[Retest] = field(default_factory=list)
    datasets: dict[str, DatasetInfo | None] = field(default_factory=dict)
    _titles: set[str] = field(default_factory=set, repr=False, compare=False)
    _asked_for: list[str] = field(default_factory=list, repr=False)
    _analysed: set[AnalysisCell] = field(default_factory=set, repr=False, compare=False)

    def wanted(self) -> list[str]:
        """Return the keys of the stages whose results are shown; the others only serve them."""
        shown = [item.stage for items in (self.trials, self.analyses, self.retests) for item in items]
        return list(dict.fromkeys(shown + self._asked_for))

    def ask_for(self, stage: Stage) -> None:
        """Want the result of a stage that is neither a trial nor an analysis."""
        self._asked_for.append(stage.key)

    def spec(self, key: str, kind: type[_OfKind]) -> _OfKind:
        """Return the spec of a stage that is known to be of a kind."""
        spec = self.stages[key].spec
        assert isinstance(spec, kind), f"{self.stages[key].title} is of kind {spec.kind}"
        return spec

    def is_decided_by(self, stage: Stage, chance: Literal["seed", "draw"]) -> bool:
        """Return whether a training seed or a label draw decides a stage, or one that it builds on."""
        own = (stage.identity.get(chance), (stage.identity.get("encoder") or {}).get(chance))
        return own != (None, None) or any(self.is_decided_by(self.stages[key], chance) for key in stage.parents)

    def add_analysis(self, cell: AnalysisCell) -> None:
        """Add an analysis, once."""
        if cell not in self._analysed:
            self._analysed.add(cell)
            self.analyses.append(cell)

    def add_stage(
        self,
        title: str,
        decides: dict[str, Any],
        spec: _OfKind,
        *,
        parents: Sequence[Stage],
        pending: bool,
        images: int | None,
        speed_group: str = "",
        work: Work | None = None,
        about: About = NOTHING,
    ) -> Stage[_OfKind]:
        """Add a stage, or return the one with this key that is there already.

        Args:
            title: what it is for, in words.
            decides: what decides its result, beside its parents; the key hashes it.
            spec: what a worker needs to do it.
            parents: the stages that it builds on.
            pending: whether its data has not been seen yet.
            images: images it processes in training, or None while that is unknown.
            speed_group: stages with the same value take about as long for the same work.
            work: what it does, or None while that is unknown.
            about: what only the suite says of it: a data set, a recipe, other images. Of two that share a stage, what
                the first one says stays.
        """
        pending = pending or any(parent.pending for parent in parents)
        keys = tuple(parent.key for parent in parents)
        identity = {**decides, "stage": spec.kind, "revision": spec.revision, "parents": list(keys)}
        if self.epochs_scale < 1 and spec.trains:
            identity["epochs_scale"] = self.epochs_scale
        key = content_key(identity)
        if pending:
            key = f"pending-{key[:32]}"
        if key not in self.stages:
            spec = spec.model_copy(update={"epochs_scale": self.epochs_scale})
            title = self._unique(title)
            self.stages[key] = Stage(key, title, identity, spec, keys, images, speed_group, work, about)
        stage: Stage[Any] = self.stages[key]
        return stage

    def _unique(self, title: str) -> str:
        """Return a title that no other stage has; `StageMaker` sees to it, but names of arms can be anything."""
        found, number = title, 1
        while found in self._titles:
            number += 1
            found = f"{title} · number {number}"
        self._titles.add(found)
        return found
