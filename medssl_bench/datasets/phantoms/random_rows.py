"""Random numbers for a batch of scenes: a row per image, and as many draws whatever the images show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from medssl_bench.datasets.phantoms.canvas import Floats


class Draws:
    """Draws arrays for a batch from one generator, in the order of the calls.

    Args:
        rng: the generator.
        batch: number of images, B.
    """

    def __init__(self, rng: np.random.Generator, batch: int) -> None:
        self._rng = rng
        self._batch = batch

    def uniform(self, low: Floats | float, high: Floats | float, *shape: int) -> Floats:
        """Return values (B, *shape) in [low, high); the bounds are scalars or (B,)."""
        first, last = (np.asarray(bound, np.float32).reshape(-1, *(1 for _ in shape)) for bound in (low, high))
        return first + (last - first) * self._rng.random((self._batch, *shape), dtype=np.float32)

    def normal(self, deviation: float, *shape: int) -> Floats:
        """Return normal values (B, *shape) of mean 0."""
        return self._rng.standard_normal((self._batch, *shape), dtype=np.float32) * deviation

    def angle(self, *shape: int) -> Floats:
        """Return angles (B, *shape) in radians, all directions alike."""
        return self.uniform(0, 2 * np.pi, *shape)


def choose(shares: Sequence[float], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return numbers of classes with such shares (which sum to 1) for uniform values in [0, 1), of any shape."""
    return np.searchsorted(np.cumsum(shares)[:-1], uniform, side="right").astype(np.int64)
