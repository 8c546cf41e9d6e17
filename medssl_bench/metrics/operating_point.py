"""Sensitivity at a specificity: at a threshold that validation images choose, and on the curve of the test images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.metrics.metric import NotDefined, Predictions
from medssl_bench.metrics.one_against_rest import Column, columns, mean_influence, val_columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_NEGATIVES = 20
"""Validation images without the class that a threshold is chosen by at least."""


def threshold(column: Column, specificity: float) -> float:
    """Return the least score that, as a threshold, gives a specificity or more: what reaches it is positive.

    It is one of the scores of the images. Where none gives the specificity it is infinite.
    """
    is_positive, scores = column
    negative = scores[~is_positive]
    allowed = int((1 - specificity) * len(negative) + 1e-9)
    if allowed >= len(negative):
        return float(scores.min(initial=np.inf))
    highest = np.partition(negative, len(negative) - 1 - allowed)[len(negative) - 1 - allowed]
    return float(scores[scores > highest].min(initial=np.inf))


def sensitivity(given: Predictions, specificity: float) -> list[float | None]:
    """Return the sensitivity for each class or label, at a threshold that validation images choose.

    Raises:
        NotDefined: fewer than 20 of these are negative, for every class.
    """
    return [_share(is_right) for is_right in _at_chosen(given, specificity, positive=True)]


def sensitivity_influence(given: Predictions, specificity: float) -> NDArray[np.float64] | None:
    """Return the influence values of the mean, (N,); errors as of `sensitivity`."""
    return _influence(given, specificity, positive=True)


def specificity_at(given: Predictions, specificity: float) -> list[float | None]:
    """Return the specificity on the test images at the same thresholds; errors as of `sensitivity`."""
    return [_share(is_right) for is_right in _at_chosen(given, specificity, positive=False)]


def specificity_influence(given: Predictions, specificity: float) -> NDArray[np.float64] | None:
    """Return the influence values of the mean, (N,); errors as of `sensitivity`."""
    return _influence(given, specificity, positive=False)


def sensitivity_on_curve(given: Predictions, specificity: float) -> list[float | None]:
    """Return the highest sensitivity with a specificity or more on the test images; None where they are of one kind."""
    found: list[float | None] = []
    for column in columns(given):
        if column is None or column[0].all() or not column[0].any():
            found.append(None)
            continue
        found.append(float((column[1][column[0]] >= threshold(column, specificity)).mean()))
    return found


def _at_chosen(
    given: Predictions, specificity: float, *, positive: bool
) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]] | None]:
    """Return for each class which test images are (or are not) of it, and which reach (or miss) its threshold."""
    found: list[tuple[NDArray[np.bool_], NDArray[np.bool_]] | None] = []
    most = 0
    for column, watched in zip(columns(given), val_columns(given), strict=True):
        if column is None or watched is None:
            found.append(None)
            continue
        negatives = int((~watched[0]).sum())
        most = max(most, negatives)
        if negatives < LEAST_NEGATIVES:
            found.append(None)
            continue
        reaches = column[1] >= threshold(watched, specificity)
        found.append((column[0], reaches) if positive else (~column[0], ~reaches))
    if most < LEAST_NEGATIVES:
        raise NotDefined(
            f"a threshold needs {LEAST_NEGATIVES} validation images without the class or more, there are {most}"
        )
    return found


def _share(kind_and_right: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None) -> float | None:
    if kind_and_right is None or not kind_and_right[0].any():
        return None
    kind, is_right = kind_and_right
    return float(is_right[kind].mean())


def _influence(given: Predictions, specificity: float, *, positive: bool) -> NDArray[np.float64] | None:
    """Return the influence values of the mean of some shares; the threshold is given, so it is no part of chance."""
    found = [each for each in _at_chosen(given, specificity, positive=positive) if each is not None and each[0].any()]
    return mean_influence(
        is_right[kind].mean() + len(kind) / kind.sum() * kind * (is_right - is_right[kind].mean())
        for kind, is_right in found
    )
