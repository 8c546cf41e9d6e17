"""The corrupt stage: a trained classifier predicts corrupted test images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medssl_bench.augmentations.corruptions.make import corrupted
from medssl_bench.datasets import Task
from medssl_bench.errors import StageError
from medssl_bench.metrics import Predictions, influence
from medssl_bench.metrics.builtin import RECORDED
from medssl_bench.metrics.classification import measure
from medssl_bench.plan.kinds.corrupt import CorruptSpec
from medssl_bench.plan.stage import Stage
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.evaluator_answer import savez
from medssl_bench.stages.kept_classifier import kept_classifier
from medssl_bench.stages.workshop import StageResult, Workshop


def corrupt(stage: Stage[CorruptSpec], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Predict the test images at each severity of a corruption.

    Args:
        stage: what to do; its parent is the evaluation whose classifier predicts.
        workshop: what to work with.
        attempt: in whose folder to leave ``influence.npz``: what is true of the test images, and for each metric its
            influence values, the mean over severities.

    Raises:
        StageError: the classifier was not kept, or its data set has other test images by now.
    """
    spec = stage.spec
    classifier = kept_classifier(stage.parents[0], workshop)
    test = workshop.dataset(spec.dataset).splits["test"]
    if len(test) != len(classifier.truth):
        raise StageError(f"the data set has {len(test):,} test images, the classifier met {len(classifier.truth):,}")
    name = f"{spec.dataset.key} {spec.corruption} {spec.severities}"

    def images() -> list[NDArray[np.uint8]]:
        return [corrupted(np.asarray(test.images), spec.corruption, severity) for severity in spec.severities]

    scores = classifier.predict(name, lambda: workshop.lately("images", name, images))
    metrics, values = measured(classifier.task, classifier.truth, scores)
    arrays: dict[str, NDArray[Any]] = {"y_true": classifier.truth, **values}
    if classifier.groups is not None:
        arrays["group"] = classifier.groups
    savez(attempt.folder / "influence.npz", arrays)
    known = {name: [each for each in found if each is not None] for name, found in metrics.items()}
    headline = {name: sum(found) / len(found) for name, found in known.items() if found and name != "balanced_accuracy"}
    return StageResult(metrics={"severities": list(spec.severities), **metrics}, headline=headline)


def measured(
    task: Task, truth: NDArray[np.int64], scores: Sequence[NDArray[np.float32]]
) -> tuple[dict[str, list[float | None]], dict[str, NDArray[np.float64]]]:
    """Return each metric at each severity, and the mean over severities of its influence values, (N,).

    A metric that is not defined at some severity has no influence values.
    """
    by_severity = [measure(task, truth, each) for each in scores]
    metrics = {name: [found[name] for found in by_severity] for name in RECORDED}
    values = {}
    for name in RECORDED:
        found = [getattr(influence, name)(Predictions(task, truth, each)) for each in scores]
        if all(each is not None for each in found):
            values[name] = np.mean(found, 0)
    return metrics, values
