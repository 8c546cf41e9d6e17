"""What an evaluator says that it measures itself, beside the metrics that the harness computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.errors import PluginError
from medssl_bench.metrics import Metric
from medssl_bench.metrics.builtin import RECORDED
from medssl_bench.plugin.given import wrong_with_names

if TYPE_CHECKING:
    from medssl_bench.evaluators.base import Evaluator

RESERVED_METRICS = (
    *RECORDED,
    "last_epoch",
    "selected_epoch",
    "labelled",
    "labelled_validation",
    "labelled_per_class",
    "labelled_groups",
    "choices",
)
"""What a record of an evaluation has of the harness' own; an analysis' numbers stand in the same tables."""


def measured_by(name: str, evaluator: Evaluator) -> dict[str, Metric]:
    """Return the metrics that an evaluator declares in `measures`, by name.

    Args:
        name: of the evaluator, for messages.
        evaluator: a plugin's may declare anything.

    Raises:
        PluginError: the declaration is not sound.
    """
    measures = evaluator.measures
    if wrong := wrong_with_names("metric", measures, RESERVED_METRICS):
        raise PluginError(f"evaluator {name!r} declares {wrong}")
    for metric_name, metric in measures.items():
        wrong = metric.wrong() if isinstance(metric, Metric) else f"it is {type(metric).__name__}, not a Metric"
        if not wrong and metric.measure is not None:
            wrong = "it has a function, but the evaluator gives its value; leave the function out, or register it"
        if wrong:
            raise PluginError(f"evaluator {name!r} declares the metric {metric_name!r}: {wrong}")
    return dict(measures)
