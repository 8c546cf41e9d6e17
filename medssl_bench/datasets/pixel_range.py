"""Whether images use the range of values that their files have; what uses little of it would become black."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_FEWEST = 32
"""Values of 0..255 that images must use, all together; a table of 0 and 1, or of 16 classes, uses fewer."""

_DARK = 16
"""Of 0..255; below it an image is nearly black, as 12-bit values in 16 bits are."""


@dataclass(frozen=True)
class Levels:
    """The smallest and the largest value of each image, and the largest that its file could hold (255 or 65535).

    Of an image of one colour, the smallest is given as the largest.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    limit: NDArray[np.int64]

    @classmethod
    def none(cls, count: int) -> Levels:
        """Return a table to be filled."""
        return cls(*(np.zeros(count, np.int64) for _ in range(3)))

    @classmethod
    def of(cls, images: NDArray[np.uint8]) -> Levels:
        """Return what images (N, H, W) or (N, H, W, 3) use."""
        bands = images[..., None] if images.ndim == 3 else images
        low, high = bands.min(axis=(1, 2)), bands.max(axis=(1, 2))  # (N, bands)
        top = high.max(axis=1).astype(np.int64)
        varied = (low < high).any(axis=1)
        return cls(np.where(varied, low.min(axis=1), top), top, np.full(len(images), 255))


def wrong_with_levels(levels: Levels, names: Sequence[str], labels: NDArray[np.int64], classes: Sequence[str]) -> str:
    """Return why images would become nearly black, or lose nearly all contrast, or an empty string.

    Args:
        levels: of each image.
        names: of the images.
        labels: class number of each.
        classes: names of the classes.
    """
    deep = levels.limit == 65535
    varied = levels.low < levels.high
    return (
        _too_little(levels, deep, "16-bit", 32768)
        or _dark(levels, deep & (levels.high > 0), names)
        or _too_little(levels, ~deep & varied, "8-bit", _FEWEST)
        or next((wrong for label, name in enumerate(classes) if (wrong := _class(levels, labels == label, name))), "")
    )


def notes_on_levels(levels: Levels, names: Sequence[str]) -> list[str]:
    """Return what people should know of single images, for whatever it means."""
    notes = []
    flat = levels.low == levels.high
    if flat.any():
        notes.append(f"{_count(flat)} of one value in all pixels ({_first(names, flat)})")
    dark = ~flat & (levels.high < _DARK) & (levels.limit == 255)
    if dark.any():
        top = int(levels.high[dark].max())
        notes.append(f"{_count(dark)} nearly black, with values up to {top} of 0..255 ({_first(names, dark)})")
    return notes


def range_text(low: float, high: float, limit: int) -> str:
    """Return how much of a range is used: ``values go from 1500 to 3547 of 0..65535``."""
    return f"values go from {low} to {high} of 0..{limit}"


def _too_little(levels: Levels, which: NDArray[np.bool_], what: str, least: int) -> str:
    if not which.any():
        return ""
    low, high = int(levels.low[which].min()), int(levels.high[which].max())
    limit = int(levels.limit[which].max())
    if high - low >= least:
        return ""
    outcome = "nearly black" if 3 * high < limit else "without contrast"
    return (
        f"{int(which.sum()):,} {what} images: {range_text(low, high, limit)}, so they would be {outcome}; "
        f"rescale them, all alike, so that their values go up to {limit}"
    )


def _dark(levels: Levels, which: NDArray[np.bool_], names: Sequence[str]) -> str:
    """Return what is wrong with single 16-bit images that use little of their range, where others use more."""
    dark = which & (levels.high * 255 < _DARK * levels.limit)
    if not dark.any():
        return ""
    low, high = int(levels.low[dark].min()), int(levels.high[dark].max())
    return (
        f"{int(dark.sum()):,} of {int(which.sum()):,} 16-bit images ({_first(names, dark)}): "
        f"{range_text(low, high, 65535)}, so they would be nearly black beside the others; rescale them all alike"
    )


def _class(levels: Levels, own: NDArray[np.bool_], name: str) -> str:
    """Return what is wrong with a class that is black, or has masks in place of images."""
    high = levels.high[own]
    if len(high) and not high.any():
        return f"all {len(high):,} images of {name} are black; they may be masks, or damaged"
    varied = own & (levels.low < levels.high) & (levels.limit == 255)
    if varied.any() and levels.high[varied].max() < _DARK:
        low, top = int(levels.low[varied].min()), int(levels.high[varied].max())
        used = range_text(low, top, 255)
        return f"{int(varied.sum()):,} images of {name}: {used}, so they would be nearly black; rescale them"
    return ""


def _count(which: NDArray[np.bool_]) -> str:
    number = int(which.sum())
    return "1 image is" if number == 1 else f"{number:,} images are"


def _first(names: Sequence[str], which: NDArray[np.bool_]) -> str:
    return f"{names[int(np.flatnonzero(which)[0])]}, say"
