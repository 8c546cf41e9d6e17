"""Makes the stages of an arm: its pretrainings, the features of its encoder, its evaluation."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from medssl_bench.costs.passes import encoder_passes
from medssl_bench.errors import PluginError, UserError, did_you_mean
from medssl_bench.methods.work import passes_of
from medssl_bench.plan.chance import fold_text
from medssl_bench.plan.checks import CellCheck, Unfit
from medssl_bench.plan.kinds.embed import add_embedding
from medssl_bench.plan.kinds.evaluate import add_evaluation
from medssl_bench.plan.kinds.pretrain import add_pretraining
from medssl_bench.plan.pool import Pool
from medssl_bench.plan.spec import EncoderSpec
from medssl_bench.plan.titles import Titles
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.guarded import make
from medssl_bench.suite.duration import DURATIONS
from medssl_bench.suite.initial_weights import has_no_draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from medssl_bench.evaluators import Evaluator
    from medssl_bench.methods.work import Passes
    from medssl_bench.plan.cell import Cell
    from medssl_bench.plan.known_dataset import KnownDataset
    from medssl_bench.plan.known_datasets import KnownDatasets
    from medssl_bench.plan.stage import Plan, Stage
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.suite.table import Arm, Link, NamedDataset, Recipe, Table

_Place = tuple[str, str, str, int, int | None]
"""What decides how an arm's encoder is pretrained, within a plan: comparison, arm, data set, seed, fold."""


class StageMaker:
    """Adds stages to a plan, each once.

    Args:
        plan: where to add them.
        registry: where components come from.
        datasets: what is known of the data.
        tables: all comparisons of the suite, so that titles of stages are unique.
    """

    def __init__(self, plan: Plan, registry: Registry, datasets: KnownDatasets, tables: Iterable[Table]) -> None:
        self.plan = plan
        self.titles = Titles(tables)
        self._registry = registry
        self._datasets = datasets
        self._scale = plan.epochs_scale
        self._teaching: list[str] = []
        self._starts: dict[_Place, tuple[Stage | None, EncoderSpec]] = {}
        self._features: dict[_Place, Stage] = {}
        self._evaluators: dict[tuple[str, str], tuple[Component, Evaluator]] = {}

    def evaluate(self, arm: Arm, cell: Cell) -> Stage:
        """Add the evaluation of one trial, and what it builds on.

        Raises:
            Unfit: a recipe of the arm cannot be carried out in this comparison.
            PluginError: the evaluator, or a data set, cannot be made.
        """
        _, evaluator = self.evaluator(arm, cell)
        start, made = self._pretrained(arm, cell)
        parents = [start] if start and evaluator.needs == "encoder" else []
        if evaluator.needs == "features":
            parents = [self.embed(arm, cell)]
        return add_evaluation(self, arm, cell, made, start, parents)

    def evaluator(self, arm: Arm, cell: Cell) -> tuple[Component, Evaluator]:
        """Return the evaluator of an arm; if it trains the encoder, with its parameter ``epochs`` scaled.

        A probe on features keeps its length: it is cheap, and one that is cut short says nothing of the encoder.
        """
        place = (cell.table.id, arm.name)
        if place not in self._evaluators:
            component = arm.evaluator
            evaluator: Evaluator = make(self._registry, component)
            if self._scale != 1 and evaluator.needs == "encoder":
                parameters = {name: self._scaled(name, value) for name, value in component.parameters.items()}
                tune = {name: [self._scaled(name, each) for each in some] for name, some in component.tune.items()}
                component = replace(component, parameters=parameters, tune=tune)
                evaluator = make(self._registry, component)
            self._evaluators[place] = component, evaluator
        return self._evaluators[place]

    def _scaled(self, name: str, value: Any) -> Any:
        """Return a parameter of an evaluator that trains: epochs, and what of a schedule is in epochs, are scaled."""
        if name == "epochs" and isinstance(value, int):
            return max(1, round(value * self._scale))
        is_schedule = name == "schedule" and isinstance(value, Component)
        return self._scaled_schedule(value, self._scale) if is_schedule else value

    def embed(self, arm: Arm, cell: Cell, of: Stage | None = None) -> Stage:
        """Add the features of a data set: of the encoder that the arm starts from, or of a trained one."""
        start, made = self._pretrained(arm, cell)
        if of is not None or any(link.recipe.model.teacher for link in arm.chain):
            return self._embedded(arm, cell, of or start, made)
        place = _place(arm, cell)
        if place not in self._features:
            self._features[place] = self._embedded(arm, cell, start, made)
        return self._features[place]

    def _embedded(self, arm: Arm, cell: Cell, start: Stage | None, made: EncoderSpec) -> Stage:
        source = start.title if start else self.titles.encoder(arm.encoder)
        if not start and has_no_draw(arm.encoder):
            made = made.model_copy(update={"seed": 0})  # one stage for all seeds, so that a value does not count twice
        elif not start:
            source = f"{source}, seed {cell.seed}"
        return add_embedding(self.plan, cell, arm.encoder, made, start, source)

    def _pretrained(self, arm: Arm, cell: Cell) -> tuple[Stage | None, EncoderSpec]:
        """Add the pretrainings of an arm; return the last, or None for an arm that starts from scratch.

        They are the same for every label budget and draw, unless one has a teacher, which is trained with labels.

        Returns:
            The last pretraining, and how its encoder is first made: so nothing needs the stages before it.
        """
        if any(link.recipe.model.teacher for link in arm.chain):
            return self._chain(arm, cell)
        place = _place(arm, cell)
        if place not in self._starts:
            self._starts[place] = self._chain(arm, cell)
        return self._starts[place]

    def _chain(self, arm: Arm, cell: Cell) -> tuple[Stage | None, EncoderSpec]:
        stage, made = None, EncoderSpec(component=arm.encoder, size=cell.known.size, seed=cell.seed)
        for link in arm.chain:
            stage, made = self._pretrain(link, cell, stage, made)
        return stage, made

    def _pretrain(self, link: Link, cell: Cell, start: Stage | None, made: EncoderSpec) -> tuple[Stage, EncoderSpec]:
        recipe, on = link.recipe, link.on or (cell.dataset,)
        pool = Pool(tuple(self._known(dataset, cell) for dataset in on), recipe.model.pool)
        if wrong := pool.unlike():
            raise Unfit(wrong, *on[0].key[:-1])
        teacher = self._teacher(recipe, cell)
        if start is None:
            made_for = recipe.model.view_size or pool.first.size
            made = EncoderSpec(component=recipe.encoder, size=made_for, seed=cell.seed)
        size = recipe.model.view_size or pool.first.size or 28  # an unseen one is taken as 28
        passes = self._passes(recipe, size)
        scale = self._scale_of(recipe, passes, size)
        stage = add_pretraining(
            self.plan,
            cell,
            recipe,
            " + ".join(_called(dataset, known) for dataset, known in zip(on, pool.sets, strict=True)),
            pool,
            passes,
            duration=self._duration(recipe, on, scale),
            schedule=self._scaled_schedule(recipe.schedule, scale),
            start=start,
            made=made,
            teacher=teacher,
        )
        return stage, made

    def known_dataset(self, dataset: NamedDataset) -> KnownDataset:
        """Return what is known of a data set of the suite.

        Raises:
            Unfit: its plugin cannot say, or it is not valid.
        """
        try:
            return self._datasets.get(dataset.component)
        except UserError as error:
            raise Unfit(str(error), *dataset.place) from error

    def _known(self, dataset: NamedDataset, cell: Cell) -> KnownDataset:
        """Return what is known of a data set that is pretrained on: of the evaluated one, in the fold of the cell."""
        if dataset.component == cell.dataset.component:
            return cell.known
        known = self.known_dataset(dataset)
        if cell.known.fold and known.fingerprint is not None and known.fingerprint == cell.known.fingerprint:
            evaluated = repr(cell.dataset.label)
            text = (
                f"{dataset.label!r} reads the same files as {evaluated}, so the test images of its folds are among them"
            )
            raise Unfit(f"{text}; pretrain on {evaluated}, or on a set of its own", *dataset.key)
        return known

    def _teacher(self, recipe: Recipe, cell: Cell) -> Stage | None:
        """Add the trained arm that a recipe learns from."""
        wanted = recipe.model.teacher
        if wanted is None:
            return None
        arms = {arm.name: arm for arm in cell.table.arms}
        key = ("pretraining", recipe.name, "teacher")
        if wanted.arm not in arms:
            message = f"there is no arm {wanted.arm!r} in comparison {cell.table.id!r}{did_you_mean(wanted.arm, arms)}"
            raise Unfit(message, *key, "arm")
        if wanted.arm in self._teaching:
            raise Unfit(f"arm {wanted.arm!r} of comparison {cell.table.id!r} would be its own teacher", *key, "arm")
        evaluator: Evaluator = make(self._registry, arms[wanted.arm].evaluator)
        if not evaluator.trains_encoder:
            message = f"arm {wanted.arm!r} of comparison {cell.table.id!r} trains no encoder, so it cannot be a teacher"
            raise Unfit(message, *key, "arm")
        if wanted.labels and (wrong := CellCheck(cell.table, cell.known.info).teacher_labels(wanted.labels)):
            raise Unfit(wrong, *key, "labels")
        self._teaching.append(wanted.arm)
        try:
            return self.evaluate(arms[wanted.arm], replace(cell, labels=wanted.labels or cell.labels))
        finally:
            self._teaching.pop()

    def is_taught_by_cell(self, arm: Arm) -> bool:
        """Return whether a teacher of an arm has the labels of the cell, rather than a number of its own."""
        teachers = [link.recipe.model.teacher for link in arm.chain]
        return any(teacher is not None and teacher.labels is None for teacher in teachers)

    def has_draw(self, stage: Stage) -> bool:
        """Return whether a label draw decides a stage, or one that it builds on."""
        return self.plan.is_decided_by(stage, "draw")

    def _passes(self, recipe: Recipe, size: int) -> Passes:
        """Return what the method of a recipe does for an image, whose views have a side in pixels."""
        entry = self._registry.find("method", recipe.method.name)
        try:
            return passes_of(entry, recipe.method.parameters, size)
        except PluginError as error:
            raise Unfit(str(error), "pretraining", recipe.name, "method") from error

    def _duration(self, recipe: Recipe, on: Sequence[NamedDataset], scale: float) -> dict[str, int]:
        """Return the recipe's duration, scaled; a table names a data set by its label or by its component."""
        labels = " + ".join(dataset.label for dataset in on)
        names = [labels, on[0].component.name] if len(on) == 1 else [labels]
        for unit in DURATIONS:
            table: dict[str, int] | None = getattr(recipe.model, unit)
            if table is None:
                continue
            named = [name for name in (*names, "default") if name in table]
            if not named:
                message = f"this says nothing of data set {labels!r} and has no default"
                raise Unfit(message, "pretraining", recipe.name, unit)
            if wrong := self._registry.too_long(recipe.schedule, table[named[0]], unit):
                raise Unfit(wrong[1], "pretraining", recipe.name, "schedule", wrong[0])
            number = max(1, round(table[named[0]] * scale))
            return {"images_seen" if unit == "compute_images" else unit: number}
        raise AssertionError("the schema asks for one duration")

    def _scale_of(self, recipe: Recipe, passes: Passes, size: int) -> float:
        """Return what a duration is multiplied by; one of equal compute also becomes images of this method."""
        if recipe.model.compute_images is None:
            return self._scale
        compute = encoder_passes(passes, recipe.encoder, size).compute
        if not compute:
            message = f"method {recipe.method.name!r} takes no work of the encoder; give epochs instead"
            raise Unfit(message, "pretraining", recipe.name, "compute_images")
        return self._scale / compute

    def _scaled_schedule(self, schedule: Component, scale: float) -> Component:
        """Return a schedule with the parameters that are in the unit of the duration scaled as the duration is."""
        if scale == 1:
            return schedule
        scaled = {
            name: max(mark.least, round(schedule.parameters[name] * scale))
            for name, mark in self._registry.find("schedule", schedule.name).table.in_duration.items()
            if schedule.parameters[name] is not None
        }
        return replace(schedule, parameters={**schedule.parameters, **scaled})


def _called(dataset: NamedDataset, known: KnownDataset) -> str:
    """Return what titles call a data set that is pretrained on."""
    return dataset.label + (fold_text(known.fold.number) if known.fold else "")


def _place(arm: Arm, cell: Cell) -> _Place:
    return cell.table.id, arm.name, cell.dataset.label, cell.seed, cell.chance.fold
