"""Values of any range as 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOWEST, _HIGHEST = 0.5, 99.5
"""Percentiles that become black and white: what nnU-Net clips CT at (Isensee et al. 2021, supplementary note 2)."""


class RangeNeeded(ValueError):
    """Values that mean nothing without a chosen range; `low` and `high` are their extremes.

    Args:
        what: what they are: ``negative pixels``.
        low: the smallest value.
        high: the largest.
        window: whether the file says one itself.
    """

    def __init__(self, what: str, low: float, high: float, *, window: bool = False) -> None:
        super().__init__(f"it has {what}: its values go from {low:g} to {high:g}, and no range is chosen")
        self.what, self.low, self.high, self.window = what, low, high, window


def eight_bit(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Return values as 0..255: `low` and less become 0, `high` and more 255, rounded half up between."""
    share = (values.astype(np.float64) - low) / (high - low)
    return np.floor(np.clip(share, 0, 1) * 255 + 0.5).astype(np.uint8)


def percentile_range(values: NDArray[Any]) -> tuple[float, float]:
    """Return the values at the 0.5th and the 99.5th percentile; the extremes, where those two are the same.

    Args:
        values: at least one.
    """
    low, high = (float(value) for value in np.percentile(values, [_LOWEST, _HIGHEST]))
    return (low, high) if low < high else (float(values.min()), float(values.max()))


def require_finite(values: NDArray[Any]) -> None:
    """Refuse infinite values and NaN.

    Raises:
        ValueError: there are some.
    """
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"{int((~np.isfinite(values)).sum()):,} of its pixels are no numbers (NaN or infinite)")
