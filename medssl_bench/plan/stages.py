"""Makes the stages of an arm: its pretrainings, the features of its encoder, its evaluation, its analyses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets import Task
from medssl_bench.datasets.budget import Budget
from medssl_bench.errors import did_you_mean
from medssl_bench.plan.checks import CellCheck, Unfit
from medssl_bench.plan.chosen_by import chosen_by
from medssl_bench.plan.later_options import later_options, with_later
from medssl_bench.plan.stage import BFLOAT16_REVISION, MULTI_LABEL_METRICS, AnalysisCell, Plan, Stage
from medssl_bench.plan.titles import Titles
from medssl_bench.plan.workload import (
    Images,
    analysis_work,
    embedding_work,
    evaluation_work,
    labelled_images,
    pretraining_images,
    pretraining_work,
    speed_group,
)
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.guarded import asking, make
from medssl_bench.suite.analyses_of import is_wanted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medssl_bench.evaluators import Evaluator
    from medssl_bench.plan.known_dataset import KnownDataset
    from medssl_bench.plan.known_datasets import KnownDatasets
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.suite.table import Arm, Link, NamedDataset, Recipe, Table


@dataclass(frozen=True)
class Cell:
    """What a trial has beside its arm."""

    table: Table
    dataset: NamedDataset
    known: KnownDataset
    labels: Budget
    seed: int
    draw: int


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
        self.registry = registry
        self.datasets = datasets
        self.titles = Titles(tables)
        self.scale = plan.epochs_scale
        self.teaching: list[str] = []
        self._starts: dict[tuple[str, str, str, int], Stage | None] = {}
        self._features: dict[tuple[str, str, str, int], Stage] = {}
        self._analysed: set[AnalysisCell] = set()
        self._evaluators: dict[tuple[str, str], tuple[Component, Evaluator]] = {}

    def evaluate(self, arm: Arm, cell: Cell) -> Stage:
        """Add the evaluation of one trial, and what it builds on.

        Raises:
            Unfit: a recipe of the arm cannot be carried out in this comparison.
            PluginError: the evaluator, or a data set, cannot be made.
        """
        component, evaluator = self._evaluator(arm, cell)
        model = cell.table.model
        start = self._pretrained(arm, cell)
        parents = [start] if start and evaluator.needs == "encoder" else []
        if evaluator.needs == "features":
            parents = [self._embed(arm, cell)]
        labels, validation, selection = cell.labels, model.validation_labels, model.selection
        if evaluator.needs == "labels":  # a floor, the same for every budget and draw
            labels, validation, selection = Budget("all"), Budget("none"), "last"
        if selection == "validation" and validation.unit == "none":
            selection = "last"
        model, criterion = chosen_by(cell.table, cell.known.info, evaluator, selection)
        # unless an epoch is chosen by them, validation labels decide nothing
        chosen = validation.is_drawn and selection == "validation" and evaluator.uses_validation
        drawn = labels.is_drawn or chosen or model.shuffle_labels
        decides = {
            "evaluator": component.identity(),
            **_arithmetic(component.parameters.get("precision")),
            "dataset": cell.known.identity(),
            "labels": labels.to_data(),
            "validation_labels": validation.to_data(),
            "selection": selection,
            "shuffle_labels": model.shuffle_labels,
            "seed": cell.seed if evaluator.uses_seed else None,
            "draw": cell.draw if drawn else None,
        }
        if cell.known.info and cell.known.info.task is Task.MULTI_LABEL:
            decides["metrics"] = MULTI_LABEL_METRICS
        if evaluator.needs == "encoder" and not start:
            decides["encoder"] = self._fresh_encoder(arm.encoder, cell.known, cell.seed)
        if criterion:
            decides["select_by"] = criterion.component.identity()
        images = work = None
        if cell.known.info:
            counts = cell.known.info.counts
            met = Images(
                labelled_images(cell.labels, cell.known, counts["train"]),
                _chosen_by(selection, validation, cell.known),
                counts["test"],
            )
            with asking(component):
                images = evaluator.images_seen(met.train)
                if isinstance(images, bool) or not isinstance(images, int) or images < 0:
                    raise TypeError(f"images_seen() gives {images!r}, not a number of images (int)")
                work = evaluation_work(evaluator, component, arm.encoder, _size(cell.known), met)
        words = [cell.table.id, cell.dataset.label, arm.name, f"{labels.text} labels"]
        words += [f"seed {cell.seed}"] if evaluator.needs != "labels" or evaluator.uses_seed else []
        words += [f"draw {cell.draw}"] if drawn or any(map(self._has_draw, parents)) else []
        return self.plan.add_stage(
            "evaluate",
            " · ".join(words),
            with_later(decides, "comparison", model),
            {
                **later_options("comparison", model),
                **decides,
                "evaluator": component.to_data(),
                "select_by": criterion.component.to_data() if criterion else None,
                "dataset": _dataset_spec(cell.known),
                "encoder": start.spec["encoder"] if start else self._encoder_spec(arm.encoder, cell.known, cell.seed),
                "start": start.key if start else None,
                "trains_encoder": evaluator.trains_encoder,
                "short": labels.short,
                "validation_labels": _budget_spec(validation),
                "seed": cell.seed,
                "draw": cell.draw,
            },
            parents=parents,
            pending=cell.known.pending,
            images=images,
            speed_group=speed_group("evaluate", component, arm.encoder, _size(cell.known)),
            work=work,
        )

    def analyse(self, arm: Arm, cell: Cell, analysis: Component, evaluated: Stage) -> None:
        """Add an analysis of the encoder that an arm ends with: a fine-tuned one, else the one it began with."""
        _, evaluator = self._evaluator(arm, cell)
        if evaluator.needs == "labels":
            return
        trained = evaluator.trains_encoder
        labels = cell.labels.text if trained or self._taught_by_cell(arm) else None
        draw = cell.draw if trained else None
        wanted, dataset = cell.table.model.analyses_of, cell.dataset.label
        if not is_wanted(wanted, arm=arm.name, dataset=dataset, labels=labels, seed=cell.seed, draw=draw):
            return
        embedded = self._embed(arm, cell, of=evaluated if trained else None)
        if self._has_draw(embedded):
            draw = cell.draw
        words = [self.titles.analysis(cell.table.id, analysis), cell.table.id, dataset, arm.name]
        words += [f"seed {cell.seed}", *([f"{labels} labels"] if labels else [])]
        words += [] if draw is None else [f"draw {draw}"]
        stage = self.plan.add_stage(
            "analyse",
            " · ".join(words),
            {"evaluator": analysis.identity(), "dataset": cell.known.identity(), "seed": cell.seed},
            {"evaluator": analysis.to_data(), "dataset": _dataset_spec(cell.known), "seed": cell.seed},
            parents=[embedded],
            pending=cell.known.pending,
            images=0,
            speed_group=speed_group("analyse", analysis),
            work=analysis_work(analysis),
        )
        found = AnalysisCell(
            cell.table.id, analysis.name, arm.name, cell.dataset.label, labels, cell.seed, draw, stage.key
        )
        if found not in self._analysed:
            self._analysed.add(found)
            self.plan.analyses.append(found)

    def _evaluator(self, arm: Arm, cell: Cell) -> tuple[Component, Evaluator]:
        """Return the evaluator of an arm; if it trains the encoder, with its parameter ``epochs`` scaled.

        A probe on features keeps its length: it is cheap, and one that is cut short says nothing of the encoder.
        """
        place = (cell.table.id, arm.name)
        if place not in self._evaluators:
            component = arm.evaluator
            evaluator: Evaluator = make(self.registry, component)
            epochs = component.parameters.get("epochs")
            if self.scale != 1 and isinstance(epochs, int) and evaluator.needs == "encoder":
                scaled: dict[str, Any] = {"epochs": self._scale(epochs)}
                if isinstance(schedule := component.parameters.get("schedule"), Component):
                    scaled["schedule"] = self._scaled_schedule(schedule)
                component = replace(component, parameters={**component.parameters, **scaled})
                evaluator = make(self.registry, component)
            self._evaluators[place] = component, evaluator
        return self._evaluators[place]

    def _embed(self, arm: Arm, cell: Cell, of: Stage | None = None) -> Stage:
        """Add the features of a data set: of the encoder that the arm starts from, or of a trained one."""
        if of is not None or any(link.recipe.model.teacher for link in arm.chain):
            return self._embedded(arm, cell, of or self._pretrained(arm, cell))
        place = _place(arm, cell)
        if place not in self._features:
            self._features[place] = self._embedded(arm, cell, self._pretrained(arm, cell))
        return self._features[place]

    def _embedded(self, arm: Arm, cell: Cell, start: Stage | None) -> Stage:
        decides: dict[str, Any] = {"dataset": cell.known.identity()}
        if start is not None:  # said again, so that nothing before `start` is needed
            encoder = start.spec["encoder"]
        else:
            decides["encoder"] = self._fresh_encoder(arm.encoder, cell.known, cell.seed)
            encoder = self._encoder_spec(arm.encoder, cell.known, cell.seed)
        total = sum(cell.known.info.counts.values()) if cell.known.info else None
        source = f"{self.titles.encoder(arm.encoder)}, seed {cell.seed}" if start is None else start.title
        return self.plan.add_stage(
            "embed",
            f"features · {cell.dataset.label} · {source}",
            decides,
            {"dataset": _dataset_spec(cell.known), "encoder": encoder, "start": start.key if start else None},
            parents=[start] if start else [],
            pending=cell.known.pending,
            images=total,
            speed_group=speed_group("embed", arm.encoder, _size(cell.known)),
            work=None if total is None else embedding_work(arm.encoder, _size(cell.known), total),
        )

    def _pretrained(self, arm: Arm, cell: Cell) -> Stage | None:
        """Add the pretrainings of an arm; return the last, or None for an arm that starts from scratch.

        They are the same for every label budget and draw, unless one has a teacher, which is trained with labels.
        """
        if any(link.recipe.model.teacher for link in arm.chain):
            return self._chain(arm, cell)
        place = _place(arm, cell)
        if place not in self._starts:
            self._starts[place] = self._chain(arm, cell)
        return self._starts[place]

    def _chain(self, arm: Arm, cell: Cell) -> Stage | None:
        stage = None
        for link in arm.chain:
            stage = self._pretrain(link, cell, stage)
        return stage

    def _pretrain(self, link: Link, cell: Cell, start: Stage | None) -> Stage:
        recipe, model = link.recipe, link.recipe.model
        on = link.on or cell.dataset
        known = self.datasets.get(on.component)
        teacher = self._teacher(recipe, cell)
        duration = self._duration(recipe, on)
        view_size = model.view_size or _size(known)
        schedule = self._scaled_schedule(recipe.schedule)
        decides: dict[str, Any] = {
            "method": recipe.method.identity(),
            "augmentation": recipe.augmentation.identity(),
            "dataset": known.identity(),
            "images": model.images.to_data(),
            "duration": duration,
            "batch_size": model.batch_size,
            "view_size": view_size,
            "optimizer": _rule(recipe.optimizer),
            "schedule": _rule(schedule),
            "precision": model.precision,
            **_arithmetic(model.precision),
            "keep": model.keep,
            "validate_every": model.validate_every,
            "seed": cell.seed,
        }
        if start is not None:
            encoder = start.spec["encoder"]
        else:
            encoder = {"component": recipe.encoder.to_data(), "size": view_size, "seed": cell.seed}
            decides["encoder"] = {**encoder, "component": recipe.encoder.identity()}
        taught = f" · taught by {teacher.title}" if teacher else ""
        after = f" after {start.title.removeprefix('pretrain · ')}" if start else ""
        images = work = None
        if wrong := CellCheck(cell.table, known.info).images(model.images):
            raise Unfit(wrong, "pretraining", recipe.name, "images")
        if known.info:
            unlabelled = model.images.images(known.info.counts["train"]) or 0
            images = pretraining_images(duration, unlabelled, model.batch_size)
            met = Images(unlabelled, known.info.counts["val"], known.info.counts["test"])
            work = pretraining_work(recipe.encoder, view_size, recipe.augmentation, decides, met)
        return self.plan.add_stage(
            "pretrain",
            f"pretrain · {recipe.name} · {on.label} · seed {cell.seed}{taught}{after}",
            with_later(decides, "recipe", model),
            {
                **later_options("recipe", model),
                **decides,
                "method": recipe.method.to_data(),
                "augmentation": recipe.augmentation.to_data(),
                "optimizer": recipe.optimizer.to_data(),
                "schedule": schedule.to_data(),
                "dataset": _dataset_spec(known),
                "images": _budget_spec(model.images),
                "encoder": encoder,
                "start": start.key if start else None,
                "teacher": teacher.key if teacher else None,
            },
            parents=[stage for stage in (start, teacher) if stage],
            pending=known.pending,
            images=images,
            speed_group=speed_group(
                "pretrain", recipe.method, recipe.encoder, view_size, recipe.augmentation, model.precision
            ),
            work=work,
        )

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
        if wanted.arm in self.teaching:
            raise Unfit(f"arm {wanted.arm!r} of comparison {cell.table.id!r} would be its own teacher", *key, "arm")
        evaluator: Evaluator = make(self.registry, arms[wanted.arm].evaluator)
        if not evaluator.trains_encoder:
            message = f"arm {wanted.arm!r} of comparison {cell.table.id!r} trains no encoder, so it cannot be a teacher"
            raise Unfit(message, *key, "arm")
        if wanted.labels and (wrong := CellCheck(cell.table, cell.known.info).teacher_labels(wanted.labels)):
            raise Unfit(wrong, *key, "labels")
        self.teaching.append(wanted.arm)
        try:
            return self.evaluate(arms[wanted.arm], replace(cell, labels=wanted.labels or cell.labels))
        finally:
            self.teaching.pop()

    def _taught_by_cell(self, arm: Arm) -> bool:
        """Return whether a teacher of an arm has the labels of the cell, rather than a number of its own."""
        teachers = [link.recipe.model.teacher for link in arm.chain]
        return any(teacher is not None and teacher.labels is None for teacher in teachers)

    def _has_draw(self, stage: Stage) -> bool:
        """Return whether a label draw decides a stage, or one that it builds on."""
        if stage.identity.get("draw") is not None:
            return True
        return any(self._has_draw(self.plan.stages[parent]) for parent in stage.parents)

    def _duration(self, recipe: Recipe, on: NamedDataset) -> dict[str, int]:
        """Return the recipe's duration on a data set, scaled; a table names it by its label or by its component."""
        for unit in ("epochs", "steps", "images_seen"):
            table: dict[str, int] | None = getattr(recipe.model, unit)
            if table is None:
                continue
            named = [name for name in (on.label, on.component.name, "default") if name in table]
            if not named:
                message = f"this says nothing of data set {on.label!r} and has no default"
                raise Unfit(message, "pretraining", recipe.name, unit)
            return {unit: self._scale(table[named[0]])}
        raise AssertionError("the schema asks for one duration")

    def _scaled_schedule(self, schedule: Component) -> Component:
        """Return a schedule with the parameters that are in the unit of the duration scaled as the duration is."""
        if self.scale == 1:
            return schedule
        scaled = {
            name: max(least, round(schedule.parameters[name] * self.scale))
            for name, least in self.registry.find("schedule", schedule.name).table.in_duration.items()
            if schedule.parameters[name] is not None
        }
        return replace(schedule, parameters={**schedule.parameters, **scaled})

    def _scale(self, number: int) -> int:
        return max(1, round(number * self.scale))

    def _fresh_encoder(self, encoder: Component, known: KnownDataset, seed: int) -> dict[str, Any]:
        return {"component": encoder.identity(), "size": _size(known), "seed": seed}

    def _encoder_spec(self, encoder: Component, known: KnownDataset, seed: int) -> dict[str, Any]:
        return {"component": encoder.to_data(), "size": _size(known), "seed": seed}


def _place(arm: Arm, cell: Cell) -> tuple[str, str, str, int]:
    """Return what decides how an arm's encoder is pretrained, within a plan."""
    return cell.table.id, arm.name, cell.dataset.label, cell.seed


def _chosen_by(selection: str, validation: Budget, known: KnownDataset) -> int:
    """Return how many images an epoch is chosen by."""
    assert known.info is not None
    if selection == "validation":
        return labelled_images(validation, known, known.info.counts["val"])
    return known.info.counts["test"] if selection == "test" else 0


def _rule(component: Component) -> dict[str, Any]:
    """Return the identity of an optimizer or a schedule.

    The built-in ones had no plugin and no revision when they were a closed list, and old keys must stay.
    """
    identity = component.identity()
    if (component.plugin, component.revision) == ("training", 1):
        return {"name": component.name, **identity["parameters"]}
    return identity


def _arithmetic(precision: object) -> dict[str, int]:
    """Return what a key says of the arithmetic, beside its name: nothing if it is float32."""
    return {"bfloat16_revision": BFLOAT16_REVISION} if precision == "bfloat16" else {}


def _budget_spec(budget: Budget) -> dict[str, Any]:
    """Return a budget with what is done if the set is too small, which decides no result."""
    return {**budget.to_data(), "short": budget.short}


def _dataset_spec(known: KnownDataset) -> dict[str, Any]:
    return {"component": known.component.to_data(), "fingerprint": known.fingerprint}


def _size(known: KnownDataset) -> int | None:
    return known.info.size if known.info else None
