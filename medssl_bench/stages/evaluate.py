"""The evaluate stage: an evaluator on one cell."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets import Split, Splits, Task
from medssl_bench.datasets.base import SplitName
from medssl_bench.datasets.budget import Budget
from medssl_bench.datasets.label_draws import draw_labels
from medssl_bench.errors import StageError
from medssl_bench.evaluators.base import Evaluation, Evaluator, Trial
from medssl_bench.evaluators.below_chance import below_chance
from medssl_bench.metrics.classification import measure
from medssl_bench.metrics.criterion import make_criterion
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.stage import Stage
from medssl_bench.randomness import forked, generator, stream
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.evaluator_answer import keep, reporter, require_sound, savez
from medssl_bench.stages.workshop import LoadedDataset, StageResult, Workshop


def evaluate(stage: Stage[EvaluateSpec], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Judge one cell of a comparison.

    Args:
        stage: what to do; its first parent is the embed stage of an evaluator that needs features.
        workshop: what to work with.
        attempt: in whose folder to leave ``predictions.npz`` (the scores of the whole test set, and of the labelled
            validation images), ``history.json``, and the weights that were trained.

    Raises:
        StageError: the evaluator does not do what it must.
    """
    spec, component = stage.spec, stage.spec.evaluator
    evaluator: Evaluator = workshop.registry.build(component)
    trial = replace(
        _trial(stage, workshop, evaluator),
        report=reporter(attempt, component),
        checkpoints=attempt.checkpoints,
    )
    with forked(stream("evaluate", seed=spec.seed)):
        found, elsewhere = workshop.siblings.evaluate(
            evaluator, stage, trial, lambda other: _trial(other, workshop, evaluator)
        )
    data, splits, train, val = workshop.dataset(spec.dataset), trial.splits, trial.train, trial.val
    truth = splits["test"].labels
    require_sound(found, evaluator, component)
    _check(found, (len(truth), len(val)), data, component.name)
    assert found.scores is not None
    savez(attempt.folder / "predictions.npz", _predictions(found, splits, train, val))
    keep(found, attempt.folder)
    metrics: dict[str, Any] = measure(data.info.task, truth, found.scores)
    if found.last_scores is not None:
        metrics["last_epoch"] = measure(data.info.task, truth, found.last_scores)
    below = below_chance(data.info, truth, found.scores)
    headline = {name: metrics[name] for name in ("accuracy", "auroc") if metrics[name] is not None}
    return StageResult(
        metrics={
            **found.metrics,
            **metrics,
            "selected_epoch": found.selected_epoch,
            "labelled": len(train),
            "labelled_validation": len(val),
            "labelled_per_class": _class_counts(data, splits["train"].labels[train]),
            **_group_count(splits["train"], train),
            **({"choices": found.choices} if found.choices else {}),
        },
        images_seen=evaluator.images_seen(len(train)) if found.images_seen is None else found.images_seen,
        headline=headline,
        flags={**found.flags, **({"auroc_below_chance": below} if below else {})},
        elsewhere=elsewhere,
    )


def _trial(stage: Stage[EvaluateSpec], workshop: Workshop, evaluator: Evaluator) -> Trial:
    """Return the cell of an evaluate stage."""
    spec, draw = stage.spec, stage.spec.draw
    data = workshop.dataset(spec.dataset)
    splits = _shuffled(data.splits, draw) if spec.shuffle_labels else data.splits
    classes, val_budget = len(data.info.classes), spec.validation_labels
    if spec.selection != "validation":  # then they decide nothing, and the draw may not be in the key
        val_budget = Budget("none")
    return Trial(
        info=data.info,
        splits=splits,
        train=_drawn(splits["train"], spec.labels, draw, "train", classes),
        val=_drawn(splits["val"], val_budget, draw, "val", classes),
        selection=spec.selection,
        seed=spec.seed,
        spy=spec.spy,
        device=workshop.device,
        encoder=partial(workshop.encoder, spec.encoder, spec.start),
        features=workshop.features(stage.features) if evaluator.needs == "features" else None,
        criterion=make_criterion(spec.select_by, workshop.registry) if spec.select_by else None,
        unlabelled=None if spec.unlabelled is None else workshop.unlabelled(spec.dataset, spec.unlabelled),
    )


def _drawn(split: Split, budget: Budget, draw: int, name: SplitName, classes: int) -> NDArray[np.int64]:
    return draw_labels(split.labels, budget, draw, split=name, classes=classes, groups=split.groups)


def _shuffled(splits: Splits, draw: int) -> Splits:
    """Return the splits with the labels of each in a random order: a control in which nothing can be learned."""
    return {
        name: Split(
            split.images,
            generator("shuffled labels", split=name, draw=draw).permutation(split.labels),
            split.groups,
        )
        for name, split in splits.items()
    }


def _check(found: Evaluation, images: tuple[int, int], data: LoadedDataset, name: str) -> None:
    """Refuse scores that are no scores of so many test images and labelled validation images."""
    test, val = ((number, len(data.info.classes)) for number in images)
    for scores, wanted in ((found.scores, test), (found.last_scores, test), (found.val_scores, val)):
        if scores is None:
            continue
        if not isinstance(scores, np.ndarray) or scores.dtype.kind not in "fiu":
            raise StageError(f"evaluator {name!r} gave scores that are no NumPy array of numbers")
        if scores.shape != wanted:
            raise StageError(f"evaluator {name!r} gave scores of shape {scores.shape}, not {wanted}")
        if not np.isfinite(scores).all():
            raise StageError(f"evaluator {name!r} gave scores that are not finite numbers; its training has diverged")
    if found.scores is None:
        raise StageError(f"evaluator {name!r} gave no scores")


def _predictions(
    found: Evaluation, splits: Splits, train: NDArray[np.int64], val: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    test = splits["test"]
    arrays: dict[str, NDArray[Any]] = {
        "y_true": test.labels,
        "y_score": np.asarray(found.scores, dtype=np.float32),
        "train_index": train,
        "val_index": val,
    }
    if test.groups is not None:
        arrays["group"] = np.unique(test.groups, return_inverse=True)[1]
    if found.last_scores is not None:
        arrays["y_score_last_epoch"] = np.asarray(found.last_scores, dtype=np.float32)
    if found.val_scores is not None:
        arrays["val_true"] = splits["val"].labels[val]
        arrays["val_score"] = np.asarray(found.val_scores, dtype=np.float32)
    return arrays


def _group_count(split: Split, places: NDArray[np.int64]) -> dict[str, int]:
    """Return how many groups the labelled images are of, where the data set has groups."""
    return {} if split.groups is None else {"labelled_groups": len(np.unique(split.groups[places]))}


def _class_counts(data: LoadedDataset, labels: NDArray[np.int64]) -> list[int]:
    if data.info.task is Task.MULTI_LABEL:
        return [int(count) for count in labels.sum(axis=0)]
    return [int(count) for count in np.bincount(labels[:, 0], minlength=len(data.info.classes))]
