"""The evaluate stage: an evaluator on one cell of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator

from medssl_bench.datasets import Task
from medssl_bench.datasets.budget import Budget
from medssl_bench.plan.about import About
from medssl_bench.plan.arithmetic import of_precision
from medssl_bench.plan.chosen_by import chosen_by
from medssl_bench.plan.later_options import later_options, with_later
from medssl_bench.plan.spec import BudgetData, ComponentData, OptionalComponentData, SpecWithEncoder
from medssl_bench.plan.workload import Images, evaluation_work, labelled_images, speed_group
from medssl_bench.plugin.guarded import asking

if TYPE_CHECKING:
    from medssl_bench.costs.units import Work
    from medssl_bench.evaluators import Evaluator
    from medssl_bench.plan.cell import Cell, Planned
    from medssl_bench.plan.known_dataset import KnownDataset
    from medssl_bench.plan.spec import EncoderSpec
    from medssl_bench.plan.stage import Stage
    from medssl_bench.plugin.component import Component
    from medssl_bench.suite.table import Arm

MULTI_LABEL_METRICS = 2
"""Raise it if those of multi-label sets alone change. 2: balanced accuracy leaves out labels with one kind of image."""


class EvaluateSpec(SpecWithEncoder):
    """An evaluator on one cell.

    Attributes:
        evaluator: what judges.
        trains_encoder: whether the evaluator changes and leaves the encoder.
        labels: which training labels it may use.
        validation_labels: which validation labels it may use.
        selection: what the epoch that counts is chosen by: ``validation``, ``last`` or ``test``.
        select_by: the metric that it is chosen by; None: accuracy, of multi-label data AUROC.
        unlabelled: `unlabelled_fingerprint` of the images without labels; None where there are none, or none are used.
        shuffle_labels: whether the labels are shuffled, as a control.
        spy: whether the history has what each epoch would have on the test images.
        seed: of the training.
        draw: of the labels.
    """

    kind: ClassVar[str] = "evaluate"
    does: ClassVar[str] = "medssl_bench.stages.evaluate:evaluate"
    trains: ClassVar[bool] = True

    evaluator: ComponentData
    trains_encoder: bool
    labels: BudgetData
    validation_labels: BudgetData
    selection: Literal["validation", "last", "test"]
    select_by: OptionalComponentData = None
    unlabelled: str | None = None
    shuffle_labels: bool
    spy: bool = False
    seed: int
    draw: int

    @model_validator(mode="before")
    @classmethod
    def _older(cls, data: Any) -> Any:
        """Accept a record that says beside its label budget what is done if the set is too small."""
        if isinstance(data, dict) and "short" in data and isinstance(data.get("labels"), dict):
            return {**data, "labels": {"short": data["short"], **data["labels"]}}
        return data


def add_evaluation(
    planned: Planned, arm: Arm, cell: Cell, made: EncoderSpec, start: Stage | None, parents: list[Stage]
) -> Stage[EvaluateSpec]:
    """Add the evaluation of one trial to a plan.

    Args:
        planned: where to add it.
        arm: whose evaluator judges.
        cell: on what.
        made: how the encoder is first made.
        start: the stage that leaves the encoder's weights; None for first weights.
        parents: the stages that it builds on.
    """
    component, evaluator = planned.evaluator(arm, cell)
    known = cell.known
    labels, validation, selection = _budgets(evaluator, cell)
    model, criterion = chosen_by(cell.table, known.info, evaluator, selection)
    chosen = validation.is_drawn and selection == "validation" and evaluator.uses_validation
    drawn = labels.is_drawn or chosen or model.shuffle_labels
    decides = {
        "evaluator": component.identity(),
        **of_precision(component.parameters.get("precision")),
        "dataset": known.identity(),
        "labels": labels.to_data(),
        "validation_labels": validation.to_data(),
        "selection": selection,
        "shuffle_labels": model.shuffle_labels,
        "seed": cell.seed if evaluator.uses_seed else None,
        "draw": cell.draw if drawn else None,
    }
    if known.info and known.info.task is Task.MULTI_LABEL:
        decides["metrics"] = MULTI_LABEL_METRICS
    if evaluator.needs == "encoder" and not start:
        decides["encoder"] = made.identity()
    if criterion:
        decides["select_by"] = criterion.component.identity()
    unlabelled = _unlabelled(evaluator, known)
    if unlabelled is not None:
        decides["unlabelled"] = unlabelled
    watched = _chosen_by(selection, validation, known)
    if model.spy and watched is not None and known.info:
        watched += known.info.counts["test"]
    images, work = _work(evaluator, component, arm.encoder, cell, watched)
    words = [cell.table.id, cell.place, arm.name, f"{labels.text} labels"]
    words += [f"seed {cell.seed}"] if evaluator.needs != "labels" or evaluator.uses_seed else []
    words += [f"draw {cell.draw}"] if drawn or any(map(planned.has_draw, parents)) else []
    spec = {
        **later_options("comparison", model),
        "evaluator": component,
        "dataset": known.spec,
        "encoder": made,
        "start": start.key if start else None,
        "trains_encoder": evaluator.trains_encoder,
        "labels": labels,
        "validation_labels": validation,
        "selection": selection,
        "select_by": criterion.component if criterion else None,
        "unlabelled": unlabelled,
        "shuffle_labels": model.shuffle_labels,
        "seed": cell.seed,
        "draw": cell.draw,
    }
    return planned.plan.add_stage(
        " · ".join(words),
        with_later(decides, "comparison", model, told_otherwise={"folds"}),  # the data set's identity has the fold
        EvaluateSpec.model_validate(spec),
        parents=parents,
        pending=known.pending,
        images=images,
        speed_group=speed_group("evaluate", component, arm.encoder, known.size),
        work=work,
        about=About(dataset=cell.dataset.label),
    )


def _budgets(evaluator: Evaluator, cell: Cell) -> tuple[Budget, Budget, str]:
    """Return the labels, the validation labels and the selection that decide the result."""
    labels, validation, selection = cell.labels, cell.table.model.validation_labels, cell.table.model.selection
    if evaluator.needs == "labels":  # a floor, the same for every budget and draw
        return Budget("all"), Budget("none"), "last"
    if selection == "validation" and validation.unit == "none":
        return labels, validation, "last"
    return labels, validation, selection


def _unlabelled(evaluator: Evaluator, known: KnownDataset) -> str | None:
    """Return the fingerprint of the images without labels that an evaluator learns from; None: it does from none."""
    if not evaluator.uses_unlabelled or known.info is None or not known.info.unlabelled:
        return None
    return known.info.unlabelled_fingerprint


def _work(
    evaluator: Evaluator, component: Component, encoder: Component, cell: Cell, watched: int | None
) -> tuple[int | None, Work | None]:
    """Return the images that an evaluation trains on, and its work; None while the data has not been seen."""
    info = cell.known.info
    if info is None or watched is None:
        return None, None
    labelled = labelled_images(cell.labels, cell.known, "train", info.counts["train"])
    met = Images(labelled, watched, info.counts["test"])
    with asking(component):
        images = evaluator.images_seen(met.train)
        if isinstance(images, bool) or not isinstance(images, int) or images < 0:
            raise TypeError(f"images_seen() gives {images!r}, not a number of images (int)")
        return images, evaluation_work(evaluator, component, encoder, cell.known.size, met)


def _chosen_by(selection: str, validation: Budget, known: KnownDataset) -> int | None:
    """Return how many images an epoch is chosen by; None while the data has not been seen."""
    if known.info is None:
        return None
    if selection == "validation":
        return labelled_images(validation, known, "val", known.info.counts["val"])
    return known.info.counts["test"] if selection == "test" else 0


KIND = EvaluateSpec
