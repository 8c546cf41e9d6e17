"""The minibatches of a downstream epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medssl_bench.evaluators.balance import oversampled


def minibatches(
    count: int, size: int, seed: int, balanced_by: NDArray[np.int64] | None = None, *, least: int = 1
) -> list[NDArray[np.int64]]:
    """Return the places of each batch of an epoch, in a random order of the images.

    Args:
        count: number of images.
        size: images of a batch; a smaller set is one batch. The last batch may be smaller.
        seed: of the order.
        balanced_by: (count,) class numbers; the epoch then has every class equally often, see `oversampled`.
        least: images of the smallest batch that is of use: a smaller last one is left out, unless it is the only one.
            Batch normalisation has no variance in a batch of one.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    order = rng.permutation(count) if balanced_by is None else oversampled(balanced_by, rng)
    batches = [order[start : start + size] for start in range(0, count, size)]
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) < least else batches
