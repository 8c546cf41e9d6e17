"""Which images of a pool a pretraining is watched on, where there are no validation images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.randomness import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 20
"""A smaller pool keeps all its images: one or two would show nothing."""

_MOST = 1000


def held_out(total: int) -> int:
    """Return how many images of a pool are held out: a tenth, 1,000 at most, none of fewer than 20."""
    return min(total // 10, _MOST) if total >= _LEAST else 0


def draw_held_out(total: int, groups: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Return the places of the images that are held out, in ascending order.

    They are the same for every training seed and method, so that what is watched can be compared.

    Args:
        total: number of images of the pool.
        groups: (total,) which images belong together, or None; they are held out group by group, so that no more than
            one group is cut in two.
    """
    rng = generator("held-out images")
    if groups is None:
        return np.sort(rng.permutation(total)[: held_out(total)])
    _, group = np.unique(groups, return_inverse=True)
    ranks = rng.permutation(int(group.max()) + 1)[group]
    return np.sort(np.argsort(ranks, kind="stable")[: held_out(total)])
