"""Images that show nothing, or less than the others: of one value, mostly black or white, enlarged from small files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.audit.descriptors import cosine_transform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.audit.shelf import Shelf

_FLAT = 2.0
"""Standard deviation of an image, in levels of 0..255, below which it has one value."""

_DARK, _BRIGHT = 16, 240
_MOSTLY = 0.95
"""Share of pixels that are darker or brighter than that."""

_FINE = 0.75
"""Share of the highest frequency above which detail counts as fine."""

_SMOOTH = 0.02
"""Share of the fine detail of the set's median image below which an image looks enlarged."""

_REPEATED = 0.25
"""Share of rows, and of columns, that repeat the one before: pixels were copied to enlarge the image."""


def single_images(shelf: Shelf) -> dict[str, NDArray[np.int64]]:
    """Return the numbers of the images that show nothing or little, by what they are."""
    flat, black, white, repeated = (np.zeros(len(shelf), np.bool_) for _ in range(4))
    detail = np.zeros(len(shelf), np.float32)
    for start, images in shelf.blocks():
        here = slice(start, start + len(images))
        bands = images[..., None] if images.ndim == 3 else images
        flat[here] = _deviation(bands) < _FLAT
        black[here] = (bands.max(axis=3) < _DARK).mean(axis=(1, 2)) >= _MOSTLY
        white[here] = (bands.min(axis=3) > _BRIGHT).mean(axis=(1, 2)) >= _MOSTLY
        repeated[here] = (_repeats(bands) >= _REPEATED) & (_repeats(bands.swapaxes(1, 2)) >= _REPEATED)
        detail[here] = _fine_detail(bands)
    shows = ~(flat | black | white)
    usual = float(np.median(detail[shows])) if shows.any() else 0.0
    enlarged = shows & (repeated | (detail < _SMOOTH * usual))
    kinds = {"constant": flat, "mostly black": black & ~flat, "mostly white": white & ~flat, "enlarged": enlarged}
    return {name: np.flatnonzero(found) for name, found in kinds.items()}


def _deviation(bands: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the standard deviation of each image, of the channel where it is largest."""
    pixels = bands.reshape(len(bands), -1, bands.shape[3]).astype(np.float32)
    pixels -= pixels[:, :1]  # squares of small numbers keep their digits
    variance = np.square(pixels).mean(axis=1) - np.square(pixels.mean(axis=1))
    return np.sqrt(variance.max(axis=1).clip(0))


def _repeats(bands: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return which share of rows repeats the row before, rows of one value left aside: black borders do, too."""
    rows = bands.reshape(*bands.shape[:2], -1)
    varied = (bands != bands[:, :, :1]).any(axis=(2, 3))[:, 1:]
    same = (rows[:, 1:] == rows[:, :-1]).all(axis=2) & varied
    return same.sum(axis=1) / np.maximum(varied.sum(axis=1), 1)


def _fine_detail(bands: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean square of the coefficients of high frequency, which enlarging leaves empty."""
    size = bands.shape[1]
    transform = cosine_transform(size).astype(np.float32)
    squares = np.square(transform @ bands.mean(axis=3, dtype=np.float32) @ transform.T)
    high = np.arange(size) >= _FINE * size
    return squares[:, high[:, None] | high[None]].mean(axis=1)
