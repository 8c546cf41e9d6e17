"""How the files of a data set became its images, so that other files can be read in the same way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self, get_args

from medssl_bench.datasets.pixel_choices import Choices, Fit


@dataclass(frozen=True)
class FileReading:
    """How files were read.

    Attributes:
        choices: range, fit and frame.
        strict: whether colour images were refused where the others are grey.
        bits: how many bits a value the files have, each number once, ascending. Where a range is chosen, 16 means
            every number above 8.
    """

    choices: Choices
    strict: bool
    bits: tuple[int, ...]

    @classmethod
    def from_data(cls, data: Any) -> Self:
        """Return what `dataclasses.asdict`, and JSON after it, made data of.

        Raises:
            ValueError: it makes no sense.
        """
        try:
            given, strict, bits = data["choices"], data["strict"], tuple(data["bits"])
            chosen, fit, frame = given["range"], given["fit"], given["frame"]
        except (TypeError, KeyError) as error:
            raise ValueError(f"files is {data!r}, not how files are read") from error
        values = tuple(chosen) if isinstance(chosen, list | tuple) else chosen
        sound = (
            _is_range(values)
            and fit in get_args(Fit)
            and (frame is None or _is_count(frame))
            and isinstance(strict, bool)
            and all(map(_is_count, bits))
        )
        if not sound:
            raise ValueError(f"files is {data!r}, not how files are read")
        return cls(Choices(values, fit, frame), strict, bits)


def _is_range(value: Any) -> bool:
    if isinstance(value, tuple):
        numbers = all(isinstance(item, int | float) and math.isfinite(item) for item in value)
        return len(value) == 2 and numbers and value[0] < value[1]
    return value in (None, "full", "percentile", "window")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
