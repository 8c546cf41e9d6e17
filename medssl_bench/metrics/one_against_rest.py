"""Each class against the rest, or each label, as a decision of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets import Task

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
