"""The built-in metrics. Every evaluation records the first three, so a table reads them and computes nothing."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from medssl_bench.metrics.metric import Metric, Predictions
from medssl_bench.plugin.markers import hookimpl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.plugin.registry import Register

RECORDED = ("accuracy", "auroc", "balanced_accuracy")
"""The built-in metrics: the record of every evaluation has them."""


@hookimpl
def medssl_metrics(register: Register) -> None:
    """Register the metrics."""
    register("accuracy", accuracy)
    register("auroc", auroc)
    register("balanced_accuracy", balanced_accuracy)
    register("loss", loss)
    register("f1", "medssl_bench.metrics.more:f1")
    register("mcc", "medssl_bench.metrics.more:mcc")
    register("average_precision", "medssl_bench.metrics.more:average_precision")


def accuracy() -> Metric:
    """Share of images whose class has the highest probability; of multi-label data, of right decisions at 0.5."""
    return Metric(partial(_measured, "accuracy"), influence=partial(_influence, "accuracy"))


def auroc() -> Metric:
    """Area under the ROC curve: mean over classes, each against the rest; of binary data, the area of class 1."""
    return Metric(partial(_measured, "auroc"), influence=partial(_influence, "auroc"))


def balanced_accuracy() -> Metric:
    """Mean over classes of the recall; of multi-label data, mean over labels of sensitivity and specificity."""
    return Metric(partial(_measured, "balanced_accuracy"), influence=partial(_influence, "balanced_accuracy"))


def _influence(name: str, given: Predictions) -> NDArray[np.float64] | None:
    from medssl_bench.metrics import influence

    found: NDArray[np.float64] | None = getattr(influence, name)(given)
    return found


def loss() -> Metric:
    """Cross-entropy of the probabilities in nats, the mean over images; of multi-label data, over labels as well."""
    return Metric(_cross_entropy, higher_is_better=False, high=math.inf, influence=partial(_influence, "loss"))


def _cross_entropy(given: Predictions) -> float:
    from medssl_bench.metrics.classification import cross_entropy

    return cross_entropy(given.task, given.labels, given.scores)


def _measured(name: str, given: Predictions) -> float | None:
    from medssl_bench.metrics.classification import measure

    return measure(given.task, given.labels, given.scores)[name]
