"""Each class against the rest, or each label, as a decision of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets import Task
from medssl_bench.metrics.placements import placements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from medssl_bench.metrics.metric import Predictions

Column = tuple["NDArray[np.bool_]", "NDArray[np.float64]"]
"""Which images are positive, (N,), and their scores, (N,)."""


def columns(given: Predictions) -> list[Column | None]:
    """Return each class or label as a column; of binary data class 0 is None, as class 1 says the same."""
    return _columns(given.task, given.labels, given.scores)


def val_columns(given: Predictions) -> list[Column | None]:
    """Return the same of the validation images; there are some."""
    assert given.val_labels is not None
    assert given.val_scores is not None
    return _columns(given.task, given.val_labels, given.val_scores)


def mean_influence(values: Iterable[NDArray[np.float64]]) -> NDArray[np.float64] | None:
    """Return the mean over columns of their influence values, (N,); None where there are no columns."""
    found = list(values)
    return np.mean(found, 0) if found else None


def _columns(task: Task, labels: NDArray[np.int64], scores: NDArray[np.float32]) -> list[Column | None]:
    exact = scores.astype(np.float64)
    is_positive = labels > 0 if task is Task.MULTI_LABEL else labels[:, :1] == np.arange(scores.shape[1])
    return [
        None if task is Task.BINARY and place == 0 else (is_positive[:, place], exact[:, place])
        for place in range(scores.shape[1])
    ]


def images(given: Predictions) -> list[float]:
    """Return how many images are of each class, or have each label."""
    if given.task is Task.MULTI_LABEL:
        return [float(count) for count in (given.labels > 0).sum(0)]
    return [float(count) for count in np.bincount(given.labels[:, 0], minlength=given.scores.shape[1])]


def recalls(given: Predictions) -> list[float | None]:
    """Return the share of the images of each class that are right; None for a class that no image is of."""
    truth, decided = given.labels[:, 0], given.scores.argmax(1)
    kinds = [truth == number for number in range(given.scores.shape[1])]
    return [float((decided[kind] == number).mean()) if kind.any() else None for number, kind in enumerate(kinds)]


def areas(given: Predictions) -> list[float | None]:
    """Return the area under the ROC curve of each class or label; None where images are of one kind."""
    found = [None if each is None or each[0].all() or not each[0].any() else each for each in columns(given)]
    return [None if each is None else float(placements(*each)[each[0]].mean()) for each in found]
