"""The evaluate and analyse stages: an evaluator on one cell."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets import Split, Splits, Task
from medssl_bench.datasets.budget import Budget
from medssl_bench.datasets.label_draws import draw_labels
from medssl_bench.errors import StageError
from medssl_bench.evaluators.base import Evaluation, Evaluator, Trial
from medssl_bench.evaluators.below_chance import below_chance
from medssl_bench.evaluators.check_evaluation import wrong_with, wrong_with_report
from medssl_bench.metrics.classification import measure
from medssl_bench.metrics.criterion import make_criterion
from medssl_bench.plugin.component import Component
from medssl_bench.randomness import forked, generator, stream
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.workshop import LoadedDataset, StageResult, Workshop
from medssl_bench.store.tensors import save_tensors


def evaluate(spec: Mapping[str, Any], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Judge one cell of a comparison.

    Args:
        spec: of an evaluate stage; its first parent is the embed stage of an evaluator that needs features.
        workshop: what to work with.
        attempt: in whose folder to leave ``predictions.npz`` (the scores of the whole test set), ``history.json``, and
            the weights that were trained.

    Raises:
        StageError: the evaluator does not do what it must.
    """
    component = Component.from_data(spec["evaluator"])
    evaluator: Evaluator = workshop.registry.build(component)
    trial = replace(
        _trial(spec, workshop, evaluator),
        report=_reporter(attempt, component),
        checkpoints=attempt.checkpoints,
    )
    with forked(stream("evaluate", seed=spec["seed"])):
        found, elsewhere = workshop.siblings.evaluate(
            evaluator, spec, trial, lambda other: _trial(other, workshop, evaluator)
        )
    data, splits, train, val = workshop.dataset(spec["dataset"]), trial.splits, trial.train, trial.val
    truth = splits["test"].labels
    _require_sound(found, evaluator, component)
    _check(found, truth, data, component.name)
    assert found.scores is not None
    _savez(attempt.folder / "predictions.npz", _predictions(found, truth, train, val))
    _keep(found, attempt.folder)
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
        },
        images_seen=evaluator.images_seen(len(train)),
        headline=headline,
        flags={**found.flags, **({"auroc_below_chance": below} if below else {})},
        elsewhere=elsewhere,
    )


def _trial(spec: Mapping[str, Any], workshop: Workshop, evaluator: Evaluator) -> Trial:
    """Return the cell of an evaluate stage."""
    data = workshop.dataset(spec["dataset"])
    splits = _shuffled(data.splits, spec["draw"]) if spec["shuffle_labels"] else data.splits
    classes, draw = len(data.info.classes), spec["draw"]
    budget = Budget(**spec["labels"], short=spec["short"])
    val_budget = Budget(**spec["validation_labels"])
    if spec["selection"] != "validation":  # then they decide nothing, and the draw may not be in the key
        val_budget = Budget("none")
    criterion = spec.get("select_by")  # not there in records of older versions
    return Trial(
        info=data.info,
        splits=splits,
        train=draw_labels(splits["train"].labels, budget, draw, classes=classes),
        val=draw_labels(splits["val"].labels, val_budget, draw, split="val", classes=classes),
        selection=spec["selection"],
        seed=spec["seed"],
        device=workshop.device,
        encoder=partial(workshop.encoder, spec["encoder"], spec["start"]),
        features=workshop.features(spec["parents"][0]) if evaluator.needs == "features" else None,
        criterion=make_criterion(Component.from_data(criterion), workshop.registry) if criterion else None,
    )


def analyse(spec: Mapping[str, Any], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Describe an encoder; arguments as of `evaluate`."""
    data = workshop.dataset(spec["dataset"])
    component = Component.from_data(spec["evaluator"])
    evaluator: Evaluator = workshop.registry.build(component)
    trial = Trial(
        info=data.info,
        splits=data.splits,
        train=np.empty(0, dtype=np.int64),
        val=np.empty(0, dtype=np.int64),
        selection="last",
        seed=spec["seed"],
        device=workshop.device,
        encoder=partial(workshop.encoder, None, spec["parents"][0]),
        features=workshop.features(spec["parents"][0]),
        report=_reporter(attempt, component),
        sweep=bool(spec.get("sweep")),
    )
    with forked(stream("analyse", seed=spec["seed"])):
        found = evaluator.evaluate(trial)
    _require_sound(found, evaluator, component)
    _keep(found, attempt.folder)
    return StageResult(metrics=dict(found.metrics), headline=dict(found.metrics), flags=dict(found.flags))


def _reporter(attempt: Attempt, component: Component) -> Callable[[int, int, Mapping[str, float]], None]:
    """Return the function that an evaluator reports its progress to; an invalid report fails the stage."""

    def report(index: int, total: int, metrics: Mapping[str, float]) -> None:
        if wrong := wrong_with_report(index, total, metrics):
            raise StageError(f"evaluator {component.name!r} reports {wrong}")
        attempt.report(index, total, metrics, None)

    return report


def _require_sound(found: Evaluation, evaluator: Evaluator, component: Component) -> None:
    if wrong := wrong_with(found, evaluator):
        raise StageError(f"evaluator {component.name!r} gives {wrong}")


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


def _check(found: Evaluation, truth: NDArray[np.int64], data: LoadedDataset, name: str) -> None:
    wanted = (len(truth), len(data.info.classes))
    for scores in (found.scores, found.last_scores):
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
    found: Evaluation, truth: NDArray[np.int64], train: NDArray[np.int64], val: NDArray[np.int64]
) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "y_true": truth,
        "y_score": np.asarray(found.scores, dtype=np.float32),
        "train_index": train,
        "val_index": val,
    }
    if found.last_scores is not None:
        arrays["y_score_last_epoch"] = np.asarray(found.last_scores, dtype=np.float32)
    return arrays


def _savez(file: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    np.savez(file, **arrays)  # type: ignore[arg-type] # savez's own keywords are reserved names


def _keep(found: Evaluation, folder: Path) -> None:
    if found.history:
        (folder / "history.json").write_text(json.dumps(found.history, indent=1) + "\n", "utf-8")
    for name, tensors in found.weights.items():
        save_tensors(tensors, folder / f"{name}.safetensors")
    if found.arrays:
        _savez(folder / "arrays.npz", found.arrays)


def _class_counts(data: LoadedDataset, labels: NDArray[np.int64]) -> list[int]:
    if data.info.task is Task.MULTI_LABEL:
        return [int(count) for count in labels.sum(axis=0)]
    return [int(count) for count in np.bincount(labels[:, 0], minlength=len(data.info.classes))]
