"""Whether what a method measures can stand in a history and a record: names of the harness' own are not its to use."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from medssl_bench.plugin.given import wrong_with_names

RESERVED_METRICS = (
    "loss",
    "epoch",
    "lr",
    "epochs",
    "epoch_kept",
    "images",
    "images_of",
    "images_held_out",
    "encoder_passes_trained",
    "encoder_passes_frozen",
    "batch_size",
    "validation_batch_size",
    "feature_spread",
    "feature_rank",
    "feature_cosine",
    "start_feature_spread",
    "start_feature_rank",
    "start_feature_cosine",
)
"""What a row of the history and the record of a pretraining have of the harness' own."""

GAUGES = tuple(f"{when}feature_{name}" for when in ("val_", "start_") for name in ("spread", "rank", "cosine"))
"""What records and histories of older releases lack."""

VALIDATION = "val_"
"""How the names of metrics of validation images begin."""


def wrong_with(metrics: Any) -> str:
    """Return what is wrong with the metrics of a batch, to be said after "gives"; or an empty string.

    It looks at no value: that would wait for the device.
    """
    if wrong := wrong_with_names("metric", metrics, RESERVED_METRICS, VALIDATION):
        return wrong
    for name, value in metrics.items():
        if not isinstance(value, Tensor):
            return f"the metric {name!r} as {type(value).__name__}, not as a tensor"
        if value.ndim:
            return f"the metric {name!r} of shape {tuple(value.shape)}, not that of a scalar"
        if value.is_complex():
            return f"the metric {name!r} of type {value.dtype}, not as a real number"
    return ""
