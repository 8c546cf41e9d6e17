"""What a suite says of how files become squares of grey values from 0 to 255: range, fit and frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from medssl_bench.errors import DataError

Range = Literal["full", "percentile", "window"] | Annotated[list[float], Field(min_length=2, max_length=2)]
"""Which values become black and white."""

Fit = Literal["crop", "pad", "stretch"]
"""What becomes of an image that is not square."""


@dataclass(frozen=True)
class Choices:
    """How a file is read.

    Attributes:
        range: ``full`` (all that the type of the file can hold), ``percentile`` (from the 0.5th to the 99.5th of each
            image), ``window`` (that of a DICOM file), the values of black and white, or None: full, unless images use
            little of it.
        fit: ``crop`` (the middle square), ``pad`` (black beside it) or ``stretch``.
        frame: which image of a file that holds several, from 0; None refuses such files.
    """

    range: str | tuple[float, float] | None = None
    fit: Fit = "crop"
    frame: int | None = None

    def changed(self) -> list[object]:
        """Return what is not at its default, as JSON-able data."""
        return [] if self == Choices() else [self.range, self.fit, self.frame]


def choices(where: object, value_range: Range | None, fit: Fit, frame: int | None) -> Choices:
    """Return what a suite says, checked.

    Raises:
        DataError: the range is empty.
    """
    if not isinstance(value_range, list):
        return Choices(value_range, fit, frame)
    low, high = value_range
    if not low < high:
        raise DataError(f"{where}: range = [{low:g}, {high:g}] has nothing in it; give the lower value first")
    return Choices((low, high), fit, frame)


def proposed(low: float, high: float, *, windows: bool = False) -> str:
    """Return what to write of images whose values go from `low` to `high`, for a message.

    Args:
        low: the smallest value.
        high: the largest.
        windows: whether all files have a window of their own.
    """
    if low >= 0 and 255 < high <= 65535 and float(high).is_integer():  # what its bits can hold
        low, high = 0, 2 ** int(high).bit_length() - 1
    window = 'range = "window" (each file\'s own), ' if windows else ""
    low_text, high_text = (str(int(value)) if float(value).is_integer() else f"{value:.6g}" for value in (low, high))
    return f'say {window}range = [{low_text}, {high_text}] (all alike) or range = "percentile" (each by its own values)'
