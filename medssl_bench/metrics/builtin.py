"""The built-in metrics. Every evaluation records the first three, so a table reads them and computes nothing."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from medssl_bench.metrics.later import later
from medssl_bench.metrics.metric import Metric, Predictions
from medssl_bench.plugin.markers import hookimpl

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Register

RECORDED = ("accuracy", "auroc", "balanced_accuracy")
"""The built-in metrics: the record of every evaluation has them."""

_MORE = (
    "f1", "mcc", "average_precision", "brier", "ece", "loss_after_temperature", "ece_after_temperature", "sensitivity",
    "specificity", "sensitivity_on_curve", "qwk", "mae",
)  # fmt: skip
"""Those that are computed from the scores that were kept."""


@hookimpl
def medssl_metrics(register: Register) -> None:
    """Register the metrics."""
    register("accuracy", accuracy)
    register("auroc", auroc)
    register("balanced_accuracy", balanced_accuracy)
    register("loss", loss)
    for name in _MORE:
        register(name, f"medssl_bench.metrics.more:{name}")


def accuracy() -> Metric:
    """Share of images whose class has the highest probability; of multi-label data, of right decisions at 0.5."""
    return Metric(partial(_measured, "accuracy"), influence=later("influence:accuracy"))


def auroc() -> Metric:
    """Area under the ROC curve: mean over classes, each against the rest; of binary data, the area of class 1."""
    return Metric(partial(_measured, "auroc"), influence=later("influence:auroc"))


def balanced_accuracy() -> Metric:
    """Mean over classes of the recall; of multi-label data, mean over labels of sensitivity and specificity."""
    return Metric(partial(_measured, "balanced_accuracy"), influence=later("influence:balanced_accuracy"))


def loss() -> Metric:
    """Cross-entropy of the probabilities in nats, the mean over images; of multi-label data, over labels as well."""
    return Metric(_cross_entropy, higher_is_better=False, high=math.inf, influence=later("influence:loss"))


def _cross_entropy(given: Predictions) -> float:
    from medssl_bench.metrics.classification import cross_entropy

    return cross_entropy(given.task, given.labels, given.scores)


def _measured(name: str, given: Predictions) -> float | None:
    from medssl_bench.metrics.classification import measure

    return measure(given.task, given.labels, given.scores)[name]
