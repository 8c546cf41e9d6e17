"""The minibatches of a downstream epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medssl_bench.evaluators.balance import oversampled


def minibatches(
    count: int, size: int, seed: int, balanced_by: NDArray[np.int64] | None = None
) -> list[NDArray[np.int64]]:
    """Return the places of each batch of an epoch, in a random order of the images.

    Args:
        count: number of images.
        size: images of a batch; a smaller set is one batch. The last batch may be smaller; a last batch of one
            image is left out, since batch normalisation has no variance there.
        seed: of the order.
        balanced_by: (count,) class numbers; the epoch then has every class equally often, see `oversampled`.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    order = rng.permutation(count) if balanced_by is None else oversampled(balanced_by, rng)
    batches = [order[start : start + size] for start in range(0, count, size)]
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches
