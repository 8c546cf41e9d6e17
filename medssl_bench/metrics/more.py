"""Metrics that no record has: they are computed from the scores that were kept, when a table asks for them."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from medssl_bench.datasets import Task
from medssl_bench.datasets.base import ONE_CLASS_TASKS
from medssl_bench.metrics.later import later
from medssl_bench.metrics.metric import Metric

_ORDERED = (Task.ORDINAL,)

Share = Annotated[float, Field(gt=0, lt=1)]
Bins = Annotated[int, Field(ge=2)]


def f1() -> Metric:
    """F1 score of each class, 2 TP / (2 TP + FP + FN); the column has the mean of classes that images are of."""
    return Metric(later("decided:f1"), per_class=True, tasks=ONE_CLASS_TASKS, influence=later("decided:f1_influence"))


def mcc() -> Metric:
    """Matthews correlation coefficient, of several classes as Gorodkin (2004) has it; 0 is chance, 1 is perfect.

    Where all images are decided to be of one class the formula divides by zero. Then it is 0, as in scikit-learn.
    """
    return Metric(later("decided:mcc"), low=-1.0, tasks=ONE_CLASS_TASKS, influence=later("decided:mcc_influence"))


def qwk() -> Metric:
    """Quadratically weighted kappa (Cohen 1968) of ordered classes; 0 is chance, 1 is perfect."""
    return Metric(later("decided:qwk"), low=-1.0, tasks=_ORDERED, influence=later("decided:qwk_influence"))


def mae() -> Metric:
    """Mean distance of the decided class from the true one, in classes, of ordered classes."""
    influence = later("decided:distances")
    return Metric(later("decided:mae"), higher_is_better=False, high=math.inf, tasks=_ORDERED, influence=influence)


def average_precision() -> Metric:
    """Average precision of each class or label: precisions times steps of recall; of binary data, of class 1."""
    influence = later("precision_recall:average_precision_influence")
    return Metric(later("precision_recall:average_precision"), per_class=True, influence=influence)


def brier() -> Metric:
    """Brier score (1950): sum over classes of the squared errors of the probabilities; of labels, their mean."""
    influence = later("calibration:squared_errors")
    return Metric(later("calibration:brier"), higher_is_better=False, high=2.0, influence=influence)


def ece(*, bins: Bins = 15) -> Metric:
    """Expected calibration error of the decided class. It is above 0 by chance alone: read the diagram in the report.

    Args:
        bins: of equal width.
    """
    measure = later("calibration:ece", bins=bins)
    return Metric(measure, higher_is_better=False, tasks=ONE_CLASS_TASKS, resampled=True)


def loss_after_temperature() -> Metric:
    """Cross-entropy after one temperature, which at least 50 labelled validation images choose (Guo et al. 2017)."""
    return Metric(
        later("calibration:loss_after_temperature"),
        higher_is_better=False,
        high=math.inf,
        needs_validation=True,
        influence=later("calibration:losses_after_temperature"),
    )


def ece_after_temperature(*, bins: Bins = 15) -> Metric:
    """Expected calibration error after the same temperature.

    Args:
        bins: of equal width.
    """
    return Metric(
        later("calibration:ece_after_temperature", bins=bins),
        higher_is_better=False,
        tasks=ONE_CLASS_TASKS,
        needs_validation=True,
        resampled=True,
    )


def sensitivity(*, specificity: Share = 0.9) -> Metric:
    """Sensitivity for each class or label at a threshold that gives a specificity on validation images.

    The threshold is the least score that gives it; the negative validation images must be 20 or more.

    Args:
        specificity: on the validation images, at least; `specificity` has what it is on the test images.
    """
    return _at_chosen("sensitivity", "sensitivity_influence", specificity)


def specificity(*, specificity: Share = 0.9) -> Metric:
    """Specificity on the test images at the thresholds of `sensitivity`.

    Args:
        specificity: on the validation images, at least.
    """
    return _at_chosen("specificity_at", "specificity_influence", specificity)


def _at_chosen(measure: str, influence: str, specificity: float) -> Metric:
    made, moved = (later(f"operating_point:{name}", specificity=specificity) for name in (measure, influence))
    return Metric(made, per_class=True, needs_validation=True, influence=moved)


def sensitivity_on_curve(*, specificity: Share = 0.9) -> Metric:
    """Highest sensitivity with a specificity on the test images: the threshold is chosen on test, so it is too good.

    Args:
        specificity: on the test images, at least.
    """
    measure = later("operating_point:sensitivity_on_curve", specificity=specificity)
    return Metric(measure, per_class=True, resampled=True)
