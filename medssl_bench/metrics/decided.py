"""Metrics of what is decided: F1, MCC, quadratically weighted kappa, and the mean distance in classes.

Each is a function of sums over the images, so leaving out one image takes a subtraction, and a jackknife no loop.
torchmetrics counts what is confused with what. It is imported where a table asks for such a metric: that takes a
process seconds, which trainings and evaluations do not spend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.metrics.metric import Predictions


def f1(given: Predictions) -> list[float | None]:
    """Return 2 TP / (2 TP + FP + FN) of each class; None for a class that no image is of."""
    right, true, found = _counts(given)
    return [2 * r / (t + f) if t else None for r, t, f in zip(right, true, found, strict=True)]


def f1_influence(given: Predictions) -> NDArray[np.float64] | None:
    """Return the influence values of the mean F1 over the classes that images are of, (N,)."""
    truth, decided = _decided(given)
    right, true, found = _counts(given)
    score = np.divide(2 * right, true + found, out=np.zeros(len(true)), where=true > 0)
    present = (true > 0).sum()
    hit, fades = truth == decided, true[truth] == 1
    own = 2 * (right[truth] - hit) / np.maximum(true[truth] + found[truth] - 1 - hit, 1)
    total = score.sum() - score[truth] + np.where(fades, 0.0, own)
    other = np.where(true[decided] > 0, 2 * right[decided] / np.maximum(true[decided] + found[decided] - 1, 1), 0.0)
    total += np.where(hit, 0.0, other - score[decided])
    left = present - fades
    return _jackknife(score.sum() / present, np.divide(total, left, out=np.full(len(truth), np.nan), where=left > 0))


def mcc(given: Predictions) -> float | None:
    """Return Matthews' correlation coefficient of several classes (Gorodkin 2004); None where images are of one class.

    Where all images are decided to be of one class the formula divides by zero. The value is then 0.
    """
    right, true, found = _counts(given)
    value = _mcc(right.sum(), true.sum(), true @ found, true @ true, found @ found)
    return None if np.isnan(value) else float(value)


def mcc_influence(given: Predictions) -> NDArray[np.float64] | None:
    """Return the influence values of `mcc`, (N,)."""
    truth, decided = _decided(given)
    right, true, found = _counts(given)
    whole = mcc(given)
    hit = truth == decided
    without = _mcc(
        right.sum() - hit,
        true.sum() - 1,
        true @ found - found[truth] - true[decided] + hit,
        true @ true - 2 * true[truth] + 1,
        found @ found - 2 * found[decided] + 1,
    )
    return None if whole is None else _jackknife(whole, without)


def qwk(given: Predictions) -> float | None:
    """Return Cohen's kappa with quadratic weights (Cohen 1968); None where all classes and decisions are one class."""
    t, p = (each.astype(np.float64) for each in _decided(given))
    value = _qwk(len(t), ((t - p) ** 2).sum(), (t**2 + p**2).sum(), t.sum(), p.sum())
    return None if np.isnan(value) else float(value)


def qwk_influence(given: Predictions) -> NDArray[np.float64] | None:
    """Return the influence values of `qwk`, (N,)."""
    t, p = (each.astype(np.float64) for each in _decided(given))
    whole, gap, squares = qwk(given), (t - p) ** 2, t**2 + p**2
    without = _qwk(len(t) - 1, gap.sum() - gap, squares.sum() - squares, t.sum() - t, p.sum() - p)
    return None if whole is None else _jackknife(whole, without)


def mae(given: Predictions) -> float:
    """Return the mean distance of the decided class from the true one, in classes."""
    return float(distances(given).mean())


def distances(given: Predictions) -> NDArray[np.float64]:
    """Return the distance of the decided class from the true one of each image, in classes, (N,)."""
    truth, decided = _decided(given)
    return np.abs(decided - truth).astype(np.float64)


def _decided(given: Predictions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return given.labels[:, 0], given.scores.argmax(1)


def _counts(given: Predictions) -> tuple[NDArray[np.int64], ...]:
    """Return for each class how many images are rightly decided, are of it, and are decided to be of it, (C,) each."""
    import torch
    from torchmetrics.functional.classification import multiclass_confusion_matrix

    truth, decided = map(torch.from_numpy, _decided(given))
    table = multiclass_confusion_matrix(decided, truth, num_classes=given.scores.shape[1]).numpy()
    return np.diag(table), table.sum(1), table.sum(0)


def _mcc(
    right: NDArray[np.int64],
    images: NDArray[np.int64],
    both: NDArray[np.int64],
    true: NDArray[np.int64],
    found: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the coefficient of sums: nan where images are of one class, 0 where all decisions are."""
    square = np.asarray(images, np.float64) ** 2
    of_true, of_found = square - true, square - found
    root = np.sqrt(of_true * of_found)
    value = np.divide(right * images - both, root, out=np.zeros(np.shape(root)), where=root > 0)
    return np.where(of_true > 0, value, np.nan)


def _qwk(
    images: int,
    gaps: NDArray[np.float64],
    squares: NDArray[np.float64],
    true: NDArray[np.float64],
    found: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return 1 - sum w O / sum w E for w = (true - found)^2, written with sums over images; nan where E is nothing."""
    expected = np.asarray(squares - 2 * true * found / max(images, 1))
    empty = expected <= 1e-12 * np.maximum(squares, 1)
    return np.where(empty, np.nan, 1 - gaps / np.where(empty, 1.0, expected))


def _jackknife(whole: float, without: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return values whose mean is the metric, and which vary as the metric does when one image is left out.

    They are the jackknife's pseudo-values without its correction of bias. None: without some image the metric is not
    defined.
    """
    if not np.isfinite(without).all():
        return None
    found: NDArray[np.float64] = whole + (len(without) - 1) * (without.mean() - without)
    return found
