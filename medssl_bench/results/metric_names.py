"""The names of metrics as people write them."""

from __future__ import annotations

METRIC_NAMES = {
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "balanced_accuracy": "balanced accuracy",
    "f1": "macro F1",
    "mcc": "MCC",
    "average_precision": "average precision",
}


def metric_name(metric: str) -> str:
    """Return a metric as people write it."""
    return METRIC_NAMES.get(metric, metric.replace("_", " "))
