"""The option ``--range``: which values of image files become black and white."""

from __future__ import annotations

import math
from typing import Any

import click

WORDS = ("full", "percentile", "window")


class RangeType(click.ParamType):  # type: ignore[type-arg] # only since click 8.4 can it be given one
    """One of the words, or two numbers, as in ``0,4095``: a suite has both as they are here."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the word, or the numbers."""
        if isinstance(value, tuple) or value in WORDS:
            return value
        try:
            low, high = (float(part) for part in str(value).strip("[] ").split(","))
        except ValueError:
            self.fail(f"{value!r} is not LOW,HIGH, full, percentile or window", param, ctx)
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            self.fail(f"{value!r} has nothing in it; give the lower value first", param, ctx)
        return tuple(int(number) if number.is_integer() else number for number in (low, high))
