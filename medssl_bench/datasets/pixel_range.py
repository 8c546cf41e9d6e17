"""Whether images use the range of values that their files have; what uses little of it would become black."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.pixel_choices import proposed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_FEWEST = 32
"""Values of 0..255 that images must use, all together; a table of 0 and 1, or of 16 classes, uses fewer."""

_DARK = 16
"""Of 0..255; below it an image is nearly black, as 12-bit values in 16 bits are."""


@dataclass(frozen=True)
class Levels:
    """The smallest and the largest value of each image, and the largest that its file could hold (255, or more).

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


def wrong_with_levels(
    levels: Levels, names: Sequence[str], labels: NDArray[np.int64], classes: Sequence[str], *, windows: bool = False
) -> str:
    """Return why images would become nearly black, or lose nearly all contrast, or an empty string.

    Args:
        levels: of each image.
        names: of the images.
        labels: class number of each.
        classes: names of the classes.
        windows: whether all files say themselves which values are black and white.
    """
    deep = levels.limit > 255
    varied = levels.low < levels.high
    return (
        _differ(levels, deep, windows=windows)
        or _too_little(levels, deep, windows=windows)
        or _dark(levels, deep & (levels.high > 0), names, windows=windows)
        or _without_contrast(levels, ~deep & varied, "; rescale them, all alike, so that their values go up to 255")
        or next((wrong for label, name in enumerate(classes) if (wrong := _class(levels, labels == label, name))), "")
    )


def wrong_with_chosen(levels: Levels) -> str:
    """Return why a range that was chosen is none for these images, or an empty string; `levels` are what it gives."""
    varied = levels.low < levels.high
    if not varied.any():
        return f"all {len(varied):,} images would be of one value in all pixels; choose another range"
    return _without_contrast(levels, varied, "; choose another range")


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


def _differ(levels: Levels, deep: NDArray[np.bool_], *, windows: bool) -> str:
    """Return what is wrong with files of different numbers of bits, 12 and 16, say: one value has two meanings."""
    limits = np.unique(levels.limit[deep])
    if len(limits) < 2:
        return ""
    spans = ", ".join(f"0..{limit}" for limit in limits[:3])
    return (
        f"{int(deep.sum()):,} images of more than 8 bits hold different ranges ({spans}), so one value would be of "
        f"different greys; {proposed(0, int(levels.high[deep].max()), windows=windows)}"
    )


def _too_little(levels: Levels, deep: NDArray[np.bool_], *, windows: bool) -> str:
    """Return what is wrong with a set of deep images that uses less than half of its range, or most of it 1/16."""
    if not deep.any():
        return ""
    low, high = int(levels.low[deep].min()), int(levels.high[deep].max())
    limit = int(levels.limit[deep].max())
    varied = deep & (levels.low < levels.high)
    narrow = varied & (16 * (levels.high - levels.low) <= levels.limit)
    most = 2 * int(narrow.sum()) > int(varied.sum())
    if 2 * (high - low) >= limit and not most:
        return ""
    bits = f"{limit.bit_length()}-bit"
    if 2 * (high - low) >= limit:
        what = (
            f"{int(narrow.sum()):,} of {int(deep.sum()):,} {bits} images: each uses a sixteenth of 0..{limit} or less"
        )
        return f"{what}, so they would be without contrast; {proposed(low, high, windows=windows)}"
    outcome = "nearly black" if 3 * high < limit else "without contrast"
    return (
        f"{int(deep.sum()):,} {bits} images: {range_text(low, high, limit)}, so they would be {outcome}; "
        f"{proposed(low, high, windows=windows)}"
    )


def _without_contrast(levels: Levels, which: NDArray[np.bool_], advice: str) -> str:
    """Return what is wrong with 8-bit images that use a few values only, all together."""
    if not which.any():
        return ""
    low, high = int(levels.low[which].min()), int(levels.high[which].max())
    if high - low >= _FEWEST:
        return ""
    outcome = "nearly black" if 3 * high < 255 else "without contrast"
    return f"{int(which.sum()):,} 8-bit images: {range_text(low, high, 255)}, so they would be {outcome}{advice}"


def _dark(levels: Levels, which: NDArray[np.bool_], names: Sequence[str], *, windows: bool) -> str:
    """Return what is wrong with single deep images that use little of their range, where others use more."""
    dark = which & (levels.high * 255 < _DARK * levels.limit)
    if not dark.any():
        return ""
    low, high, limit = int(levels.low[dark].min()), int(levels.high[dark].max()), int(levels.limit[dark].max())
    return (
        f"{int(dark.sum()):,} of {int(which.sum()):,} {limit.bit_length()}-bit images ({_first(names, dark)}): "
        f"{range_text(low, high, limit)}, so they would be nearly black beside the others; "
        f'{proposed(low, int(levels.high[which].max()), windows=windows)}, or range = "full" if they are meant to be'
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
