"""Whether an AUROC is so far below a half that chance does not explain it: then scores are probably inverted.

If scores had nothing to do with labels, every way to hand the labels to the images would be as likely. An area is
(R - m (m + 1) / 2) / (m n) for the sum R of the m positives' midranks, so sums of ranks are what is random. Over all
permutations of the rows of labels their covariances are exact (Hoeffding 1951, theorem 2), with ties, and between the
classes of one image:

    cov(sum_i a_i y_i, sum_i b_i z_i) = sum_i (a_i - mean a)(b_i - mean b) sum_i (y_i - mean y)(z_i - mean z) / (N - 1)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets import Task
from medssl_bench.metrics.classification import one_vs_rest_areas

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets import DatasetInfo

_FAR = 3.0
"""Standard errors below a half; by chance 1 in 740, and in small sets less."""

_NAMED = 3
"""Classes that are named at most."""


def below_chance(info: DatasetInfo, labels: NDArray[np.int64], scores: NDArray[np.float32]) -> str:
    """Say that the AUROC of scores is far below a half, and of which classes; or return an empty string.

    Args:
        info: of the data set.
        labels: (N, 1) class numbers, or (N, L) of 0 and 1 for a multi-label task.
        scores: (N, C), as of `measure`.
    """
    is_positive = labels > 0 if info.task is Task.MULTI_LABEL else labels == np.arange(scores.shape[1])
    columns = [1] if info.task is Task.BINARY else list(range(scores.shape[1]))
    columns = [column for column in columns if 0 < is_positive[:, column].sum() < len(labels)]
    if not columns:
        return ""
    areas = np.array(one_vs_rest_areas(is_positive[:, columns], scores[:, columns]))
    covariance = null_covariance(is_positive[:, columns], scores[:, columns])
    error = math.sqrt(max(0.0, covariance.mean()))
    distance = (0.5 - areas.mean()) / error if error > 0 else 0.0
    if distance <= _FAR:
        return ""
    errors = np.sqrt(covariance.diagonal())
    distances = np.divide(0.5 - areas, errors, out=np.zeros_like(areas), where=errors > 0)
    lowest = [place for place in np.argsort(-distances, kind="stable")[:_NAMED] if distances[place] > _FAR]
    named = ", ".join(f"{info.classes[columns[place]]!r} {areas[place]:.3f}" for place in lowest)
    inverted = f"; scores may be inverted for {named}" if named else ""
    return f"the AUROC is below chance ({areas.mean():.3f}, {distance:.1f} standard errors below .5{inverted})"


def null_covariance(is_positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the covariances of the areas of all columns if scores have nothing to do with labels, (C, C).

    Args:
        is_positive: (N, C), of which every column has both kinds.
        scores: (N, C).
    """
    count = len(scores)
    ranks = np.stack([_midranks(column) for column in scores.T], axis=1)
    ranks -= ranks.mean(axis=0)
    hits = is_positive - is_positive.mean(axis=0)
    pairs = is_positive.sum(axis=0) * (~is_positive).sum(axis=0)
    found: NDArray[np.float64] = (ranks.T @ ranks) * (hits.T @ hits) / max(1, count - 1) / np.outer(pairs, pairs)
    return found


def _midranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the place of each value in rising order, equal ones all at the middle of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[place]
