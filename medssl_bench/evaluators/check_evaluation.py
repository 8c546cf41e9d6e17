"""Whether what an evaluator gives can stand in a record: names of the harness' own are not its to use."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from medssl_bench.evaluators.base import Evaluation, Evaluator
from medssl_bench.evaluators.own_metrics import RESERVED_METRICS
from medssl_bench.plugin.given import wrong_with_flags, wrong_with_names, wrong_with_numbers

RESERVED_FLAGS = ("auroc_below_chance",)
RESERVED_WEIGHTS = ("predictions", "history", "arrays", "record", "features", "method")
"""Names of files that stages leave themselves."""

RESERVED_ARRAYS = (
    "file", "allow_pickle", "y_true", "y_score", "y_score_last_epoch", "train_index", "val_index", "group",
    "val_true", "val_score",
)  # fmt: skip
"""Keywords of NumPy's ``savez``, and the arrays of ``predictions.npz``."""


def wrong_with(found: Any, evaluator: Evaluator) -> str:
    """Return what is wrong with an evaluation beside its scores, to be said after "gives"; or an empty string.

    Args:
        found: what `evaluate` gave; a plugin may have given anything.
        evaluator: whose.
    """
    if not isinstance(found, Evaluation):
        return f"{type(found).__name__}, not an Evaluation"
    return (
        wrong_with_numbers("metric", found.metrics, RESERVED_METRICS)
        or wrong_with_flags(found.flags, RESERVED_FLAGS)
        or _history(found.history)
        or _weights(found.weights, evaluator)
        or _arrays(found.arrays)
        or _epoch(found.selected_epoch)
        or _choices(found.choices)
        or _images(found.images_seen)
    )


def wrong_with_report(index: Any, total: Any, metrics: Any) -> str:
    """Return what is wrong with a report of progress, to be said after "reports"; or an empty string."""
    if not _is_whole(index) or not _is_whole(total) or not 0 <= index < total:
        return f"epoch {index!r} of {total!r}; give the number of the epoch from 0, and how many there are, each an int"
    return wrong_with_numbers("metric", metrics)


def _history(rows: Any) -> str:
    if not isinstance(rows, list):
        return f"history as {type(rows).__name__}, not as a list of rows"
    for place, row in enumerate(rows, start=1):
        if wrong := wrong_with_numbers("metric", row):
            return f"{wrong} (row {place} of its history)"
        if not float(row.get("epoch", -1)).is_integer() or row.get("epoch", -1) < 0:
            return f"no number of the epoch, 'epoch' from 0, in row {place} of its history"
    return ""


def _weights(weights: Any, evaluator: Evaluator) -> str:
    if wrong := wrong_with_names("state dict", weights, RESERVED_WEIGHTS):
        return wrong
    for name, state in weights.items():
        if not isinstance(state, dict) or not all(
            isinstance(key, str) and isinstance(tensor, torch.Tensor) for key, tensor in state.items()
        ):
            return f"weights {name!r} that are no state dict, which is tensors by name"
    if ("encoder" in weights) != evaluator.trains_encoder:
        what = "an encoder" if "encoder" in weights else "no encoder"
        return f"{what} among its weights, but its trains_encoder is {evaluator.trains_encoder}"
    if evaluator.keeps_head and weights.get("head", {}).keys() != {"weight", "bias"}:
        return "no linear layer, head = { weight, bias }, among its weights, but its keeps_head is True"
    return ""


def _arrays(arrays: Any) -> str:
    if wrong := wrong_with_names("array", arrays, RESERVED_ARRAYS):
        return wrong
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            return f"the array {name!r} as {type(array).__name__}, not as a NumPy array"
        if array.dtype.hasobject:
            return f"the array {name!r} of Python objects; give numbers or text"
    return ""


def _epoch(selected: Any) -> str:
    if selected is None or (_is_whole(selected) and selected >= 0):
        return ""
    return f"selected_epoch as {type(selected).__name__} {selected!r}, not as an int from 0, or None"


def _choices(choices: Any) -> str:
    if wrong := wrong_with_names("choice", choices):
        return wrong
    for name, choice in choices.items():
        try:
            json.dumps(choice, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            return f"the choice {name!r} as what JSON cannot hold; give texts, finite numbers, lists and dicts"
    return ""


def _images(seen: Any) -> str:
    if seen is None or (_is_whole(seen) and seen >= 0):
        return ""
    return f"images_seen as {type(seen).__name__} {seen!r}, not as an int from 0, or None"


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
