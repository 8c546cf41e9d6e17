"""What of an image stays when it is stored again, brightened or resized: two descriptors of its structure.

*Band* is the grey image at 28 pixels or less, a Gaussian of 0.7 pixels minus one of 2.5, without a border of 2, at
length 1. *Plain* is the image at 14 pixels in all channels, without its mean. Both are kept as the coefficients of an
orthonormal cosine transform: products are the same, and a turn changes only signs and order.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SIDE = 28
_BORDER = 2
_PLAIN = 14
_FINE, _COARSE = 0.7, 2.5

FLATTEST = 0.5
"""Standard deviation of the band, in levels of 0..255, below which it is rounding and noise."""


def band(images: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Return the band of images (N, S, S) or (N, S, S, 3).

    Returns:
        Coefficients (N, D, D) of length 1, or 0 for an image without structure; and the standard deviation of each
        image's band, (N,), in levels of 0..255.
    """
    fine, coarse = _band_maps(images.shape[1])
    grey: Floats = (images if images.ndim == 3 else images.mean(axis=3, dtype=np.float32)).astype(np.float32)
    found = np.asarray(fine @ grey @ fine.T - coarse @ grey @ coarse.T, np.float32)
    length: Floats = np.sqrt(np.square(found).sum(axis=(1, 2)))
    spread: Floats = length / np.float32(found.shape[1])
    found *= np.where(spread >= FLATTEST, 1 / np.maximum(length, 1e-6), 0)[:, None, None]
    return found, spread


def plain(images: NDArray[np.uint8]) -> Floats:
    """Return the plain descriptor of images (N, S, S) or (N, S, S, 3): coefficients (N, C, D, D), in levels."""
    map_ = _plain_map(images.shape[1])
    channels = images[:, None] if images.ndim == 3 else np.moveaxis(images, 3, 1)
    found: Floats = map_ @ channels.astype(np.float32) @ map_.T
    found[:, :, 0, 0] -= found[:, :, 0, 0].mean(axis=1, keepdims=True)  # the mean over all channels
    return found


def plain_difference(first: Floats, second: Floats, row: NDArray[np.int64]) -> Floats:
    """Return how much plain descriptors differ, whatever the images' brightness and contrast, in levels of 0..255.

    It is the root of the mean square that is left of the one with less contrast when the other is fitted to it.

    Args:
        first: (N, C, D, D).
        second: of the images that are turned.
        row: how each is turned, as a row of `turned_products`.

    Returns:
        (N,).
    """
    products = turned_products(first, second)[row, np.arange(len(row))]
    one, other = (np.square(part).sum(axis=(1, 2, 3)) for part in (first, second))
    less, more = np.minimum(one, other), np.maximum(one, other)
    left = less - np.square(products) / np.maximum(more, 1e-6)
    return np.sqrt(left.clip(0) / max(1, first[0].size if len(first) else 1))


def turned_products(first: Floats, second: Floats) -> Floats:
    """Return the products of pairs of descriptors, the second image in each of its eight positions.

    Args:
        first: coefficients (N, D, D) or (N, C, D, D).
        second: coefficients of the images that are turned.

    Returns:
        (8, N). The positions are those of `POSITIONS`.
    """
    straight = _mirrored(first * second)
    swapped = _mirrored(first * second.swapaxes(-1, -2))
    return np.stack(straight + swapped)


def _mirrored(products: Floats) -> list[Floats]:
    """Return sums of products where the second image is as it is, upside down, mirrored, and both.

    Mirroring changes the sign of the odd coefficients along that axis.
    """
    sums = {
        (y, x): products[..., y::2, x::2].reshape(len(products), -1).sum(axis=1) if products.ndim == 3
        else products[..., y::2, x::2].sum(axis=(1, 2, 3))
        for y in (0, 1) for x in (0, 1)
    }  # fmt: skip
    even, right, down, both = sums[0, 0], sums[0, 1], sums[1, 0], sums[1, 1]
    return [even + right + down + both, even + right - down - both, even - right + down - both,
            even - right - down + both]  # fmt: skip


POSITIONS = (0, 6, 4, 2, 7, 1, 3, 5)
"""The turn (as `turns.turned` counts them) of each row of `turned_products`."""


@cache
def _band_maps(size: int) -> tuple[Floats, Floats]:
    side = min(size, _SIDE)
    border = _BORDER if side > 4 * _BORDER else 0
    cosines = cosine_transform(side - 2 * border)
    shrunk = _area(size, side)
    fine, coarse = (
        cosines @ (_gauss(side, sigma) @ shrunk)[border : side - border] for sigma in (_FINE, _COARSE)
    )  # fmt: skip
    return fine.astype(np.float32), coarse.astype(np.float32)


@cache
def _plain_map(size: int) -> Floats:
    side = min(size, _PLAIN)
    return (cosine_transform(side) @ _area(size, side)).astype(np.float32)


def cosine_transform(size: int) -> NDArray[np.float64]:
    """Return the matrix of the orthonormal cosine transform (DCT-II), (size, size)."""
    row, column = np.arange(size)[:, None], np.arange(size)[None]
    found = np.cos(np.pi * (2 * column + 1) * row / (2 * size)) * np.sqrt(2 / size)
    found[0] /= np.sqrt(2)
    return found


def _area(size: int, side: int) -> NDArray[np.float64]:
    """Return the matrix that shrinks by averages of areas, (side, size)."""
    edges = np.arange(side + 1) * size / side
    pixels = np.arange(size)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return overlap.clip(0) * side / size


def _gauss(size: int, sigma: float) -> NDArray[np.float64]:
    """Return the matrix of a Gaussian, (size, size); beyond an edge the image is mirrored."""
    radius = int(4 * sigma + 0.5)
    steps = np.arange(-radius, radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights /= weights.sum()
    found = np.zeros((size, size))
    for step, weight in zip(steps, weights, strict=True):
        places = (np.arange(size) + step) % (2 * size)
        np.add.at(found, (np.arange(size), np.minimum(places, 2 * size - 1 - places)), weight)
    return found
