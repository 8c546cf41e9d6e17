"""Computes a metric, and refuses values that it cannot have. Its function may be a plugin's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import PluginError
from medssl_bench.metrics.metric import NotDefined
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.guarded import asking

if TYPE_CHECKING:
    from medssl_bench.metrics.metric import Finished, Metric, Predictions

NO_VALIDATION = (
    "no scores of labelled validation images are kept: there are none, epochs are not chosen by them, the evaluator "
    "gives none, or the result is of an older release"
)

_ROUNDING = 1e-6
"""How far a value may be outside the range: scores are float32."""


@dataclass(frozen=True)
class Measured:
    """What a metric measured.

    Attributes:
        value: the number of the column; None where the metric is not defined.
        classes: of a metric that is measured for each class, the value of each; else empty.
        why: why there is no value, where the metric says so.
    """

    value: float | None
    classes: tuple[float | None, ...] = ()
    why: str = ""


def compute(name: str, metric: Metric, given: Predictions | Finished) -> Measured:
    """Return what a metric measures.

    Args:
        name: of the metric, for messages.
        metric: what it is; its function must be there.
        given: what the function reads.

    Raises:
        PluginError: the function raises, or gives a value that the metric cannot have.
    """
    assert metric.measure is not None
    if metric.needs_validation and getattr(given, "val_scores", None) is None:
        return Measured(None, why=NO_VALIDATION)
    with asking(Component("metric", name)):
        try:
            found = metric.measure(given)
        except NotDefined as error:
            return Measured(None, why=" ".join(str(error).split()))
    if not metric.per_class:
        return Measured(_number(name, metric, found))
    if isinstance(found, str) or not (isinstance(found, Sequence) or hasattr(found, "tolist")):
        raise PluginError(f"metric {name!r} gives {type(found).__name__}, not a value for each class")
    values = tuple(_number(name, metric, value) for value in found)
    known = [value for value in values if value is not None]
    return Measured(sum(known) / len(known) if known else None, values)


def _number(name: str, metric: Metric, found: Any) -> float | None:
    """Return a value as a float; None stays None."""
    if found is None:
        return None
    if hasattr(found, "item") and getattr(found, "ndim", 1) == 0:  # of NumPy or torch
        found = found.item()
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise PluginError(f"metric {name!r} gives {type(found).__name__}, not a number or None")
    value = float(found)
    if not math.isfinite(value):
        raise PluginError(f"metric {name!r} gives {value}; return None where it is not defined")
    if not metric.low - _ROUNDING <= value <= metric.high + _ROUNDING:
        raise PluginError(f"metric {name!r} gives {value:g}, outside its range {metric.low:g} to {metric.high:g}")
    return value
