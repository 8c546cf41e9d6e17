"""Average precision, and its influence values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.metrics.one_against_rest import columns, mean_influence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.metrics.metric import Predictions


def average_precision(given: Predictions) -> list[float | None]:
    """Return the average precision of each class or label; None where no image is positive, and of class 0 of two."""
    return [None if each is None or not each[0].any() else float(_precisions(*each).mean()) for each in columns(given)]


def average_precision_influence(given: Predictions) -> NDArray[np.float64] | None:
    """Return the influence values of the mean over classes, (N,), by the infinitesimal jackknife.

    Of a class with n_1 of n images, of precisions P_i = TP_i / N_i at the scores of its images, and of their mean AP,
    the value of image k is AP + (n / n_1) (y_k (P_k - AP) + sum (y_k / N_i - TP_i / N_i^2)), y_k being 1 for an image
    of the class, else 0, and the sum over the images of the class with a score that is not above that of k.
    """
    return mean_influence(_influence(*each) for each in columns(given) if each is not None and each[0].any())


def _precisions(is_positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the precision at the score of each positive image, in rising order of their scores."""
    _, true, found = _reached(is_positive, scores)
    precisions: NDArray[np.float64] = true / found
    return precisions


def _reached(
    is_positive: NDArray[np.bool_], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Return the scores of the positive images, rising, and how many positive and how many images reach each."""
    own, every = np.sort(scores[is_positive]), np.sort(scores)
    return own, len(own) - np.searchsorted(own, own, "left"), len(every) - np.searchsorted(every, own, "left")


def _influence(is_positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    own, true, found = _reached(is_positive, scores)
    precisions = true / found
    area, below = precisions.mean(), np.searchsorted(own, scores, "right")
    gains = np.concatenate([[0.0], np.cumsum(1 / found)])[below]
    losses = np.concatenate([[0.0], np.cumsum(precisions / found)])[below]
    at = precisions[np.minimum(np.searchsorted(own, scores, "left"), len(own) - 1)]
    value: NDArray[np.float64] = area + len(scores) / len(own) * (is_positive * (at - area + gains) - losses)
    return value
