"""Draws splits that part no group (the images of one patient, say) and keep the class proportions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from medssl_bench.errors import DataError
from medssl_bench.randomness import generator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Part = TypeVar("Part")


def drawn_splits(
    labels: NDArray[np.int64], groups: NDArray[np.int64] | None, shares: Mapping[Part, float], seed: int
) -> dict[Part, NDArray[np.int64]]:
    """Return the places of the images of each part; no group has images in two parts.

    The rule is that of scikit-learn's StratifiedGroupKFold, for parts of unequal shares too: the groups, in random
    order and those with the most uneven classes first, go one by one to the part in which they make the shares of the
    classes over the parts most even. When as many groups are left as parts are empty, these get them.

    With groups, the draw depends on their numbers, what is in them, and the seed; not on the order of the images. So
    numbers that follow the names of the groups (`groups.numbered`) give the rows of a table the same draw in any order.

    Args:
        labels: (N, 1) class numbers, or (N, L) with 0 and 1 for a multi-label set; then each column counts as a class,
            and all images as one more.
        groups: (N,) which images belong together; None: no two do, and images are drawn class by class, so the draw
            depends on their order.
        shares: of the images, by part, from 0; their sum counts as all images. A part with share 0 stays empty.
        seed: of the draw.

    Returns:
        Ascending places (n,) of each part, in the order of `shares`.

    Raises:
        DataError: there are fewer groups than parts with a share.
    """
    wanted = [part for part, share in shares.items() if share > 0]
    relative = np.array([shares[part] for part in wanted]) / sum(shares.values()) * len(wanted)  # 1 where all are equal
    number = len(labels) if groups is None else len(np.unique(groups))
    if number < len(wanted):
        what = "image" if groups is None else "group"
        have = f"1 {what}" if number == 1 else f"{number} {what}s"
        raise DataError(f"{have} cannot be shared out to {len(wanted)} splits; each needs a {what} of its own")
    part_of = _spread(labels, relative, seed) if groups is None else _assigned(labels, groups, relative, seed)
    empty = np.empty(0, np.int64)
    return {part: np.flatnonzero(part_of == wanted.index(part)) if part in wanted else empty for part in shares}


def _spread(labels: NDArray[np.int64], relative: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Return the part of each image (N,): the images stand class by class, and the parts take turns."""
    classes = np.unique(labels, axis=0, return_inverse=True)[1].reshape(-1)
    order = generator("drawn splits", seed=seed).permutation(len(labels))
    order = order[np.argsort(classes[order], kind="stable")]
    ends = np.cumsum(relative) / relative.sum() * len(labels)
    sizes = np.maximum(np.diff(np.floor(ends + 0.5).astype(np.int64), prepend=0), 1)
    sizes[np.argmax(sizes)] += len(labels) - sizes.sum()
    turns = np.concatenate([(np.arange(size) + 0.5) / size for size in sizes])
    part_of = np.empty(len(labels), np.int64)
    part_of[order] = np.repeat(np.arange(len(sizes)), sizes)[np.argsort(turns, kind="stable")]
    return part_of


def _assigned(
    labels: NDArray[np.int64], groups: NDArray[np.int64], relative: NDArray[np.float64], seed: int
) -> NDArray[np.int64]:
    """Return the part of each image (N,), the same for all images of a group."""
    which = np.unique(groups, return_inverse=True)[1].reshape(-1)
    counts = _counts(labels, which)
    order = generator("grouped splits", seed=seed).permutation(len(counts))
    order = order[np.argsort(-counts[order].std(axis=1), kind="stable")]
    whole = relative[:, None] * counts.sum(axis=0)
    held = np.zeros((len(relative), counts.shape[1]), np.int64)
    part_of = np.empty(len(counts), np.int64)
    for left, group in zip(range(len(order), 0, -1), order, strict=True):
        empty = np.flatnonzero(held.sum(axis=1) == 0)
        allowed = empty if left <= len(empty) else np.arange(len(held))
        part_of[group] = best = _best(held, counts[group], whole, allowed)
        held[best] += counts[group]
    return part_of[which]


def _counts(labels: NDArray[np.int64], which: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many images of each class each group has, (G, C); classes without images are left out."""
    if labels.shape[1] == 1:
        classes = np.unique(labels[:, 0], return_inverse=True)[1].reshape(-1)
        of_images = np.eye(classes.max() + 1, dtype=np.int64)[classes]
    else:
        of_images = np.hstack([labels[:, labels.any(axis=0)], np.ones((len(labels), 1), np.int64)])
    counts = np.zeros((which.max() + 1, of_images.shape[1]), np.int64)
    np.add.at(counts, which, of_images)
    return counts


def _best(
    held: NDArray[np.int64], group: NDArray[np.int64], whole: NDArray[np.float64], allowed: NDArray[np.int64]
) -> int:
    """Return which of the allowed parts a group (C,) fits best, given what the parts hold (P, C).

    As scikit-learn compares them, to the bit. There are only sums, quotients and square roots, which are rounded alike
    on every machine.

    Args:
        held: images of each class in each part.
        group: images of each class in the group.
        whole: (P, C) images of each class in all, times the relative share of each part.
        allowed: numbers of parts.
    """
    tried = np.repeat(held[None], len(allowed), axis=0)
    tried[np.arange(len(allowed)), allowed] += group
    uneven = (tried / whole).std(axis=1).mean(axis=1)
    images = held[allowed].sum(axis=1) / whole[allowed, 0]
    best = 0
    for other in range(1, len(allowed)):
        alike = abs(uneven[other] - uneven[best]) <= 1e-8 + 1e-5 * uneven[best]
        if uneven[other] < uneven[best] or (alike and images[other] < images[best]):
            best = other
    return int(allowed[best])
