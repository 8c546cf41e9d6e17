"""Whether probabilities are right: Brier score, expected calibration error, and one temperature for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets import Task
from medssl_bench.metrics.classification import cross_entropies
from medssl_bench.metrics.metric import NotDefined, Predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 15
LEAST_IMAGES = 50
"""Validation images that a temperature is fitted on at least."""

_LEAST, _MOST = 0.05, 20.0
"""The range in which a temperature is searched."""

_CLOSE = 1e-8
"""How exactly the logarithm of a temperature is found."""

_TINY = 1e-12
"""A probability counts as this where it is less."""


def brier(given: Predictions) -> float:
    """Return the mean of `squared_errors`."""
    return float(squared_errors(given).mean())


def squared_errors(given: Predictions) -> NDArray[np.float64]:
    """Return sum_c (p_c - 1[c])^2 of each image (Brier 1950), (N,); of multi-label data, the mean over labels."""
    exact = given.scores.astype(np.float64)
    if given.task is Task.MULTI_LABEL:
        found: NDArray[np.float64] = ((exact - (given.labels > 0)) ** 2).mean(1)
        return found
    return ((exact - np.eye(exact.shape[1])[given.labels[:, 0]]) ** 2).sum(1)


@dataclass(frozen=True)
class Bins:
    """Images by the probability of their decided class, in bins of equal width, each without its lower end.

    Attributes:
        images: how many are in each bin, (bins,).
        confidence: mean probability of the decided class, 0 in an empty bin.
        accuracy: share of images that are right, likewise.
    """

    images: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """Expected calibration error (Naeini et al. 2015; Guo et al. 2017): the gaps, weighted by images."""
        return float(self.images @ np.abs(self.accuracy - self.confidence) / self.images.sum())


def in_bins(confidence: NDArray[np.float64], is_right: NDArray[np.bool_], bins: int = BINS) -> Bins:
    """Return images in bins, from the probability of the decided class and whether that is right, (N,) each."""
    place = np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)
    images = np.bincount(place, minlength=bins)
    sums = (np.bincount(place, each, bins) / np.maximum(images, 1) for each in (confidence, is_right))
    return Bins(images, *sums)


def reliability(labels: NDArray[np.int64], scores: NDArray[np.float32], bins: int = BINS) -> Bins:
    """Return the images of predictions (N, C) of one class each in bins."""
    exact = scores.astype(np.float64)
    return in_bins(exact.max(1), exact.argmax(1) == labels[:, 0], bins)


def ece(given: Predictions, bins: int = BINS) -> float:
    """Return the expected calibration error of the decided class."""
    return reliability(given.labels, given.scores, bins).error


def of_calibrated(
    scores: NDArray[np.float32], bins: int = BINS, times: int = 200, seed: int = 0
) -> tuple[float, float]:
    """Return mean and 95 % quantile of the calibration error if the probabilities were exactly right.

    True classes are drawn from the probabilities, again and again. A measured error below that quantile says nothing:
    so few images have as much by chance alone.
    """
    exact = scores.astype(np.float64)
    confidence = exact.max(1)
    random = np.random.default_rng([seed, len(exact)])
    found = [in_bins(confidence, random.random(len(exact)) < confidence, bins).error for _ in range(times)]
    return float(np.mean(found)), float(np.quantile(found, 0.95))


def temperature_of(task: Task, labels: NDArray[np.int64], scores: NDArray[np.float32]) -> float:
    """Return the temperature between 0.05 and 20 that minimises the log loss of predictions (Guo et al. 2017).

    The loss is convex in 1 / T, so it has one minimum.
    """
    from scipy.optimize import minimize_scalar

    def loss(logarithm: float) -> float:
        return float(cross_entropies(task, labels, tempered(task, scores, float(np.exp(logarithm)))).mean())

    bounds = (np.log(_LEAST), np.log(_MOST))
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": _CLOSE}).x))


def tempered(task: Task, scores: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """Return probabilities (N, C) whose logits are divided by a temperature; a class that is decided stays so."""
    exact = np.clip(scores.astype(np.float64), _TINY, 1)
    if task is Task.MULTI_LABEL:
        exact = np.clip(exact, _TINY, 1 - _TINY)
        return 1 / (1 + (1 / exact - 1) ** (1 / temperature))
    logits = np.log(exact) / temperature
    raised = np.exp(logits - logits.max(1, keepdims=True))
    found: NDArray[np.float64] = raised / raised.sum(1, keepdims=True)
    return found


def loss_after_temperature(given: Predictions) -> float:
    """Return the mean of `losses_after_temperature`."""
    return float(losses_after_temperature(given).mean())


def losses_after_temperature(given: Predictions) -> NDArray[np.float64]:
    """Return the cross-entropy of each image in nats, (N,), after the temperature that validation images choose.

    Raises:
        NotDefined: there are too few of these.
    """
    scores = tempered(given.task, given.scores, fitted_temperature(given))
    return cross_entropies(given.task, given.labels, scores)


def ece_after_temperature(given: Predictions, bins: int = BINS) -> float:
    """Return the expected calibration error after the temperature; errors as of `losses_after_temperature`."""
    scores = tempered(given.task, given.scores, fitted_temperature(given))
    return in_bins(scores.max(1), given.scores.argmax(1) == given.labels[:, 0], bins).error


_fitted: list[tuple[object, object, float]] = []
"""The last temperature, and what it was fitted on: resampling of test images asks for it again and again."""


def fitted_temperature(given: Predictions) -> float:
    """Return the temperature that the labelled validation images choose.

    Raises:
        NotDefined: there are fewer than 50.
    """
    labels, scores = given.val_labels, given.val_scores
    if labels is None or scores is None or len(labels) < LEAST_IMAGES:
        number = 0 if labels is None else len(labels)
        raise NotDefined(f"a temperature needs {LEAST_IMAGES} labelled validation images or more, there are {number}")
    if not (_fitted and _fitted[0][0] is labels and _fitted[0][1] is scores):
        _fitted[:] = [(labels, scores, temperature_of(given.task, labels, scores))]
    return _fitted[0][2]
