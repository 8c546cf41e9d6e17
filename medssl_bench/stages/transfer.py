"""The transfer stage: a trained classifier predicts the test images of another data set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets import Task
from medssl_bench.datasets.copies import known_copies
from medssl_bench.datasets.parts import Part
from medssl_bench.errors import StageError
from medssl_bench.metrics.classification import measure
from medssl_bench.plan.class_map import ClassMap
from medssl_bench.plan.kinds.transfer import TransferSpec
from medssl_bench.plan.stage import Stage
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.evaluator_answer import savez
from medssl_bench.stages.kept_classifier import KeptClassifier, kept_classifier
from medssl_bench.stages.workshop import StageResult, Workshop


def transfer(stage: Stage[TransferSpec], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Predict the test images of another data set that are of a shared class.

    Args:
        stage: what to do; its parent is the evaluation whose classifier predicts.
        workshop: what to work with.
        attempt: in whose folder to leave ``predictions.npz``, whose classes are the shared ones.

    Raises:
        StageError: the classifier was not kept, or the other set has no image of a shared class.
    """
    spec = stage.spec
    classifier = kept_classifier(stage.parents[0], workshop)
    leak = _copies(spec, workshop)  # before anything is measured
    test = workshop.dataset(spec.dataset).splits["test"]
    kept = shared_images(spec.classes, classifier.task, test.labels)
    if not len(kept):
        raise StageError("no test image of the other data set is of a shared class")
    chosen = test.at(kept)
    (scores,) = classifier.predict(f"{spec.dataset.key} {kept.tobytes()!r}", lambda: [chosen.images])
    truth, scores = (
        shared_labels(spec.classes, classifier.task, chosen.labels),
        shared_scores(spec.classes, classifier.task, scores),
    )
    arrays: dict[str, NDArray[Any]] = {"y_true": truth, "y_score": scores}
    if chosen.groups is not None:
        arrays["group"] = np.unique(chosen.groups, return_inverse=True)[1]
    savez(attempt.folder / "predictions.npz", arrays)
    metrics = measure(classifier.task, truth, scores)
    headline = {name: value for name, value in metrics.items() if value is not None and name != "balanced_accuracy"}
    return StageResult(
        metrics={
            **metrics,
            "here": _here(spec.classes, classifier),
            "images": len(kept),
            "left_out": len(test) - len(kept),
            "copies": leak[0],
        },
        headline=headline,
        flags={"copies_in_training": leak[1]} if leak[1] else {},
    )


def shared_images(classes: ClassMap, task: Task, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places of the images of a shared class; of multi-label data, all.

    Args:
        classes: of both data sets.
        task: what labels mean.
        labels: of the other set.
    """
    if task is Task.MULTI_LABEL:
        return np.arange(len(labels))
    return np.flatnonzero(np.array(classes.other)[labels[:, 0]] >= 0)


def shared_labels(classes: ClassMap, task: Task, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels of the other set as those of the shared classes: a class that several are is there if one is."""
    other = np.array(classes.other)
    if task is Task.MULTI_LABEL:
        return np.stack([labels[:, other == number].max(1) for number in range(len(classes.names))], 1)
    return other[labels]


def shared_scores(classes: ClassMap, task: Task, scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the scores of the shared classes: of one class an image, they sum to 1 again.

    Where no shared class has any probability, as it is written in 32 bits, all have the same.
    """
    found = scores[:, list(classes.own)]
    if task is Task.MULTI_LABEL:
        return found
    total = found.sum(1, keepdims=True, dtype=np.float64)
    even = np.full_like(found, 1 / found.shape[1])
    return np.where(total > 0, found / np.where(total > 0, total, 1), even).astype(np.float32)


def _here(classes: ClassMap, classifier: KeptClassifier) -> dict[str, float | None]:
    """Return what the same classifier measures on its own test images of the shared classes, in the same way."""
    own = np.full(classifier.scores.shape[1], -1)
    own[list(classes.own)] = np.arange(len(classes.own))
    here = ClassMap(classes.names, classes.own, tuple(own.tolist()))
    kept = shared_images(here, classifier.task, classifier.truth)
    if not len(kept):
        return dict.fromkeys(("accuracy", "auroc", "balanced_accuracy"))
    truth = shared_labels(here, classifier.task, classifier.truth[kept])
    return measure(classifier.task, truth, shared_scores(here, classifier.task, classifier.scores[kept]))


def _copies(spec: TransferSpec, workshop: Workshop) -> tuple[int, str]:
    """Return how many of the other set's test images are among the training images, turned ones too, and a line on it.

    They are looked for once for two data sets, and remembered.
    """
    splits = workshop.dataset(spec.trained_on).splits
    test = workshop.dataset(spec.dataset).splits["test"]

    def parts() -> list[Part]:
        return [Part("train", splits["train"].images), Part("test", test.images)]

    found = known_copies(f"{spec.trained_on.key} tested on {spec.dataset.key}", parts, workshop.context.cache_dir)
    return len(found.leaked), "; ".join(found.warnings)
