"""Influence values: one number for each test image, whose mean is the metric and whose variance tells its error.

So accuracy, AUROC and balanced accuracy share what intervals are computed by. To first order, the variance of these
values divided by their number is the sampling variance of the metric; of AUROC it is that of DeLong et al. (1988).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets import Task
from medssl_bench.metrics.classification import cross_entropies
from medssl_bench.metrics.placements import placements

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.metrics.metric import Predictions

_THRESHOLD = 0.5


def accuracy(given: Predictions) -> NDArray[np.float64] | None:
    """Return 1 for each image that is right, else 0; of multi-label data the share of labels that are right, (N,)."""
    if given.task is Task.MULTI_LABEL:
        return ((given.scores > _THRESHOLD) == (given.labels > 0)).mean(1)
    return (given.scores.argmax(1) == given.labels[:, 0]).astype(np.float64)


def balanced_accuracy(given: Predictions) -> NDArray[np.float64] | None:
    """Return B + n (R - r_c) / (K n_c) for each image, (N,): R is 1 if it is right, else 0.

    B is the balanced accuracy, r_c the recall of the image's class c, which n_c of n images are of, and K the number of
    classes that images are of. That r_c is taken off counts in that n_c is chance too: n R / (K n_c) has the same mean,
    and too large a variance where classes are unbalanced. Of multi-label data, both kinds of images of each label stand
    in the place of classes; labels that all images have, or none, are left out.
    """
    if given.task is Task.MULTI_LABEL:
        right = (given.scores > _THRESHOLD) == (given.labels > 0)
        kinds = [(kind, right[:, place]) for place, of in enumerate((given.labels > 0).T) for kind in (of, ~of)]
        return _mean_recall([(kind, each) for kind, each in kinds if 0 < kind.sum() < len(kind)])
    classes = given.labels[:, 0]
    right = given.scores.argmax(1) == classes
    return _mean_recall([(classes == number, right) for number in np.unique(classes)])


def auroc(given: Predictions) -> NDArray[np.float64] | None:
    """Return theta + n (V - theta) / n_k for each image, (N,): theta is the area, V DeLong's placement value.

    n_k is the number of images of its kind, positive or negative. It is the mean over classes, each against the rest;
    of binary data, of class 1; of multi-label data, over labels. What has only one kind of images is left out.
    """
    is_positive = given.labels > 0
    if given.task is not Task.MULTI_LABEL:
        is_positive = given.labels[:, :1] == np.arange(given.scores.shape[1])
    columns = range(1, 2) if given.task is Task.BINARY else range(given.scores.shape[1])
    found = [
        _area(is_positive[:, place], given.scores[:, place])
        for place in columns
        if 0 < is_positive[:, place].sum() < len(is_positive)
    ]
    return np.mean(found, 0) if found else None


def loss(given: Predictions) -> NDArray[np.float64] | None:
    """Return the cross-entropy of each image in nats, (N,); of multi-label data, its mean over labels."""
    return cross_entropies(given.task, given.labels, given.scores)


def _mean_recall(kinds: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]) -> NDArray[np.float64] | None:
    """Return the influence values of the mean of some recalls, each of the images of a kind that are right."""
    if not kinds:
        return None
    recalls = [right[kind].mean() for kind, right in kinds]
    parts = [
        recall + len(kind) / kind.sum() * kind * (right - recall)
        for (kind, right), recall in zip(kinds, recalls, strict=True)
    ]
    return np.mean(parts, 0)


def _area(is_positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> NDArray[np.float64]:
    placed = placements(is_positive, scores)
    area = placed[is_positive].mean()
    counts = np.where(is_positive, is_positive.sum(), (~is_positive).sum())
    return area + len(scores) / counts * (placed - area)
