"""The eight ways in which a square image can lie: four turns, each as it is or mirrored."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TURNS = range(8)

_BLOCK = 2**22
"""Pixels that are looked at together: their hashes take eight bytes each."""


def turned(image: NDArray[Any], turn: int) -> NDArray[Any]:
    """Return an image (S, S) or (S, S, C) in one of its eight positions; 0: as it is."""
    found = np.rot90(image, turn % 4)
    return found[:, ::-1] if turn >= 4 else found


def turn_between(first: NDArray[Any], second: NDArray[Any]) -> int | None:
    """Return the turn that makes the second image the first, to the pixel, or None."""
    return next((turn for turn in TURNS if np.array_equal(first, turned(second, turn))), None)


def turned_digests(parts: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint64]]:
    """Return a number for each image that is equal for images with the same pixels in any of the eight positions.

    Images have it of 64 bits, so a collision among 236,000 of them is very improbable. Images of which no other has
    the same number of pixels of each value, in each channel, cannot be copies: only the others are turned and hashed.

    Args:
        parts: images (N, S, S) or (N, S, S, 3), of one size.

    Returns:
        For each part, (N,).
    """
    digests = [_counted(images) for images in parts]
    numbers, how_many = np.unique(np.concatenate([*digests, np.empty(0, np.uint64)]), return_counts=True)
    shared = numbers[how_many > 1]
    for images, own in zip(parts, digests, strict=True):
        for place in np.flatnonzero(np.isin(own, shared)):
            own[place] = min(_digest(turned(images[place], turn)) for turn in TURNS)
    return digests


def _counted(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a hash of how many pixels of an image have each value: a sum of random numbers, one for each value."""
    channels = 1 if images.ndim == 3 else images.shape[3]
    numbers = np.random.default_rng(0).integers(0, 2**64, (channels, 256), np.uint64)
    found = np.zeros(len(images), np.uint64)
    step = max(1, _BLOCK // max(1, images[:1].size))
    for start in range(0, len(images), step):
        block = images[start : start + step].reshape(len(images[start : start + step]), -1, channels)
        for channel in range(channels):
            found[start : start + step] += numbers[channel][block[..., channel]].sum(axis=1, dtype=np.uint64)
    return found


def _digest(image: NDArray[np.uint8]) -> int:
    return int.from_bytes(hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=8).digest(), "little")
