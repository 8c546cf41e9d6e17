"""The names of metrics as people write them."""

from __future__ import annotations

METRIC_NAMES = {
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "balanced_accuracy": "balanced accuracy",
    "f1": "macro F1",
    "mcc": "MCC",
    "average_precision": "average precision",
    "brier": "Brier score",
    "ece": "ECE",
    "ece_after_temperature": "ECE after temperature",
    "qwk": "weighted kappa",
    "mae": "mean distance",
}

SAID = dict.fromkeys(("sensitivity", "specificity", "sensitivity_on_curve"), "specificity=0.9")
"""Parameters without which a name says little, where a suite leaves them at their defaults."""


def metric_name(metric: str) -> str:
    """Return a metric as people write it."""
    name, _, given = metric.partition(" ")
    written = METRIC_NAMES.get(name, name.replace("_", " "))
    given = given or SAID.get(name, "")
    return f"{written} ({given})" if given else written
