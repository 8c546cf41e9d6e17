"""Accuracy, AUROC and balanced accuracy, as MedMNIST's evaluator and scikit-learn define them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets import Task
from medssl_bench.metrics.placements import placements

_THRESHOLD = 0.5


def measure(task: Task, labels: NDArray[np.int64], scores: NDArray[np.float32]) -> dict[str, float | None]:
    """Return the metrics of scores.

    Args:
        task: what the labels mean.
        labels: (N, 1) class numbers, or (N, L) of 0 and 1 for a multi-label task.
        scores: (N, C) probabilities of the classes, or of each label of a multi-label task.

    Returns:
        ``accuracy``: share of images whose class has the highest score; of a multi-label task, the mean over labels
        of the share of right decisions at 0.5. ``auroc``: mean over classes of the one-vs-rest area; of a binary
        task, the area of class 1; of a multi-label task, the mean over labels. ``balanced_accuracy``: mean over
        classes of the recall; of a multi-label task, the mean over labels of the mean of both recalls, of the images
        that have it and of those that have not. Left out of a mean is what is not defined: the recall of a class that
        no image is of, and the area and the recalls of a class or label where all images are of one kind. A mean of
        which nothing is left is None.
    """
    if task is Task.MULTI_LABEL:
        return _multi_label(labels, scores)
    classes = labels[:, 0]
    predicted = scores.argmax(axis=1)
    present = np.unique(classes)
    recalls = [float((predicted[classes == number] == number).mean()) for number in present]
    areas = one_vs_rest_areas(classes[:, None] == np.arange(scores.shape[1]), scores)
    if task is Task.BINARY:
        areas = areas[1:]
    return {
        "accuracy": float((predicted == classes).mean()),
        "auroc": _mean(areas),
        "balanced_accuracy": _mean(recalls),
    }


def cross_entropy(task: Task, labels: NDArray[np.int64], scores: NDArray[np.float32]) -> float:
    """Return the mean of the negative logarithm of the probability of what is true, over images, and over labels.

    A probability counts as 1e-12 where it is less. Arguments are as of `measure`.
    """
    return float(cross_entropies(task, labels, scores).mean())


def cross_entropies(task: Task, labels: NDArray[np.int64], scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the cross-entropy of each image in nats, (N,); arguments are as of `measure`."""
    given = scores.astype(np.float64)
    if task is Task.MULTI_LABEL:
        right = np.where(labels == 1, given, 1 - given)
    else:
        right = np.take_along_axis(given, labels[:, :1], axis=1)
    found: NDArray[np.float64] = -np.log(np.clip(right, 1e-12, 1)).mean(1)
    return found


def one_vs_rest_areas(is_positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> list[float]:
    """Return the area under the ROC curve of each column; nan where a column has only one kind of images.

    Args:
        is_positive: (N, C).
        scores: (N, C).
    """
    areas = []
    for column in range(scores.shape[1]):
        truth = is_positive[:, column]
        one_kind = truth.all() or not truth.any()
        areas.append(math.nan if one_kind else float(placements(truth, scores[:, column])[truth].mean()))
    return areas


def _multi_label(labels: NDArray[np.int64], scores: NDArray[np.float32]) -> dict[str, float | None]:
    decided = scores > _THRESHOLD
    is_positive = labels > 0
    recalls = [
        float((decided[kind, column] == is_positive[kind, column]).mean())
        for column in range(scores.shape[1])
        for kind in (is_positive[:, column], ~is_positive[:, column])
        if 0 < kind.sum() < len(kind)
    ]
    return {
        "accuracy": float((decided == is_positive).mean()),
        "auroc": _mean(one_vs_rest_areas(is_positive, scores)),
        "balanced_accuracy": _mean(recalls),
    }


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else None
