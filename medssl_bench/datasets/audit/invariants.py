"""A bound on the cosine of two images in any of the eight positions, from one product.

A turn of an image changes signs of its cosine coefficients, and swaps the coefficient (i, j) with (j, i). So absolute
values, of each such two the larger first, are the same for all eight positions. Neither step brings vectors further
apart, so the product of two such vectors is at least the largest of the eight cosines: no pair above a threshold is
missed.
The coefficients with the most energy are kept, and the length of all others as one number, which keeps the bound.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.audit.descriptors import Floats

_LENGTH = 192
"""Numbers of a vector; fewer let more pairs pass that are none, more take longer to multiply."""


class Invariants:
    """Makes vectors that are the same for all eight positions of an image.

    Args:
        sample: coefficients (N, D, D) of some images, which say which coefficients have most of the energy.

    Attributes:
        length: of a vector.
    """

    def __init__(self, sample: Floats) -> None:
        energy = np.square(sample).mean(axis=0, dtype=np.float64)
        rows, columns = np.triu_indices(energy.shape[0])
        order = np.argsort(-(energy + energy.T)[rows, columns], kind="stable")
        rows, columns = rows[order], columns[order]
        kept = int(np.searchsorted(np.cumsum(1 + (rows != columns)), _LENGTH))
        self._rows, self._columns = rows[:kept], columns[:kept]
        self.length = 1 + kept + int((self._rows != self._columns).sum())

    def of(self, coefficients: Floats) -> NDArray[np.float32]:
        """Return vectors (N, F) of length 1, for coefficients (N, D, D) of length 1."""
        one = np.abs(coefficients[:, self._rows, self._columns])
        other = np.abs(coefficients[:, self._columns, self._rows])
        two = self._rows != self._columns
        found = np.concatenate([np.maximum(one, other), np.minimum(one, other)[:, two]], axis=1)
        rest = np.sqrt((1 - np.square(found).sum(axis=1, keepdims=True)).clip(0))
        return np.concatenate([found, rest], axis=1, dtype=np.float32)
