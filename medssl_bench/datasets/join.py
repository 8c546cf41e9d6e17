"""Images of several parts or sets as one array."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import Images
from medssl_bench.datasets.memory import require_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import Split


def join(parts: Sequence[Images | Split], sets: Sequence[int]) -> Images:
    """Return all images in one array; one part alone is returned as it is.

    Grey images among colour ones get their value in all three channels. Groups of different sets stay apart. Where some
    images have a group, one without is a group of its own. Where none has, the images of each set are a group, if there
    are several sets.

    Args:
        parts: images of one size.
        sets: number of the set of each part; parts of one set share its groups.

    Raises:
        DataError: they do not fit into memory.
    """
    if len(parts) == 1:
        return Images(parts[0].images, parts[0].groups)
    channels = 3 if any(part.images.ndim == 4 for part in parts) else 1
    count, side = sum(len(part) for part in parts), parts[0].images.shape[1]
    shape = (count, side, side) + ((3,) if channels == 3 else ())
    require_memory(int(np.prod(shape)), f"{count:,} images of {side} pixels of a pool")
    images = np.empty(shape, np.uint8)
    start = 0
    for part in parts:
        grey = part.images.ndim == 3 and channels == 3
        images[start : start + len(part)] = part.images[..., None] if grey else part.images
        start += len(part)
    return Images(images, _groups(parts, sets))


def _groups(parts: Sequence[Images | Split], sets: Sequence[int]) -> NDArray[np.int64] | None:
    numbers = np.repeat(np.array(sets), [len(part) for part in parts])
    if all(part.groups is None for part in parts):
        return None if len(set(sets)) == 1 else numbers.astype(np.int64)
    known = np.concatenate([np.full(len(part), part.groups is not None) for part in parts])
    own = np.concatenate([np.arange(len(part)) if part.groups is None else part.groups for part in parts])
    which = np.concatenate([np.full(len(part), place) for place, part in enumerate(parts)])
    # images without a group are known by their part and their place in it, the others by set and group
    rows = np.stack([known, np.where(known, numbers, which), own], axis=1)
    _, groups = np.unique(rows, axis=0, return_inverse=True)
    return groups.reshape(-1).astype(np.int64)
