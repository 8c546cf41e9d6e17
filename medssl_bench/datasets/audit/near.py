"""Pairs of images that show the same, found block by block: memory does not grow with the number of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.datasets.audit.descriptors import FLATTEST, POSITIONS, band, plain, plain_difference, turned_products
from medssl_bench.datasets.audit.invariants import Invariants

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from medssl_bench.datasets.audit.descriptors import Floats
    from medssl_bench.datasets.audit.shelf import Shelf

FLOOR = 0.935
"""Cosine of the band from which pairs are kept; below it no threshold lies."""

_LIKENESS, _DIFFERENCE = (0.955, 0.965), (6.5, 11.0)
"""By how much plain descriptors of a pair may differ, in levels of 0..255, by its likeness; images that differ more
have other colours or another shape at large. Copies that are little alike, JPEGs of pale images, differ little."""

_SAMPLE = 4096
_ROWS, _COLUMNS = 1024, 4096
_VERIFIED = 4096
_EACH = 32
"""Pairs of an image that are looked at in a block; an image with more is one of many that look alike."""

_MOST = 2**20
"""Pairs that are held before those of images with many of them are thinned out."""

_ROUNDING = 2e-3
"""By how much numbers of 16 bits may be wrong."""


@dataclass(frozen=True)
class Pairs:
    """Pairs of images.

    Attributes:
        first: number of one image, (P,).
        second: number of the other one, larger than the first.
        likeness: cosine of their bands, the second turned as it fits best.
        turn: how the second is turned for that, as `turns.turned` counts.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    likeness: Floats
    turn: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first)

    def where(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Pairs:
        """Return some of the pairs."""
        return Pairs(self.first[which], self.second[which], self.likeness[which], self.turn[which])

    def by_likeness(self) -> Pairs:
        """Return them, the most alike first."""
        return self.where(np.lexsort((self.second, self.first, -self.likeness)))

    @classmethod
    def joined(cls, parts: list[Pairs]) -> Pairs:
        """Return the pairs of several."""
        empty = np.empty(0, np.int64)
        parts = [cls(empty, empty, empty.astype(np.float32), empty), *parts]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


def near_pairs(
    shelf: Shelf, numbers: NDArray[np.int64], report: Callable[[int, int], None] = lambda _done, _total: None
) -> Pairs:
    """Find the pairs of images with a cosine of at least `FLOOR` in any of the eight positions.

    Images without structure are left out: two of them are alike whatever they are of.

    Args:
        shelf: all images.
        numbers: the images among which to look.
        report: called with the work done and the work there is, in products of vectors.
    """
    coefficients, vectors, numbers = _described(shelf, numbers)
    total, done = len(numbers), 0
    found: list[Pairs] = []
    for row in range(0, total, _ROWS):
        for column in range(row, total, _COLUMNS):
            one, other = _candidates(vectors[row : row + _ROWS], vectors[column : column + _COLUMNS], column - row)
            found.append(_verified(shelf, numbers, coefficients, one + row, other + column))
        if sum(map(len, found)) > _MOST:
            found = [_thinned(Pairs.joined(found))]
        done += len(vectors[row : row + _ROWS]) * (total - row)
        report(done, total * (total + _ROWS) // 2)
    return Pairs.joined(found)


def _described(
    shelf: Shelf, numbers: NDArray[np.int64]
) -> tuple[NDArray[np.float16], NDArray[np.float32], NDArray[np.int64]]:
    """Return coefficients and vectors of those images that have structure, and the numbers of these images."""
    wanted = np.zeros(len(shelf), np.bool_)
    wanted[numbers] = True
    sample = numbers[np.linspace(0, len(numbers) - 1, min(_SAMPLE, len(numbers))).astype(np.int64)]
    some = band(shelf.take(sample))[0]
    invariants = Invariants(some)
    coefficients = np.empty((len(numbers), *some.shape[1:]), np.float16)
    vectors = np.empty((len(numbers), invariants.length), np.float32)
    kept, filled = [], 0
    for start, images in shelf.blocks():
        chosen = np.flatnonzero(wanted[start : start + len(images)])
        found, spread = band(images[chosen])
        structured = spread >= FLATTEST
        end = filled + int(structured.sum())
        coefficients[filled:end] = found[structured]
        vectors[filled:end] = invariants.of(found[structured])
        kept.append(chosen[structured] + start)
        filled = end
    return coefficients[:filled], vectors[:filled], np.concatenate([*kept, np.empty(0, np.int64)])


def _candidates(
    rows: NDArray[np.float32], columns: NDArray[np.float32], ahead: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the places of pairs that may be alike; each pair once, the second behind the first.

    Args:
        rows: vectors of some images.
        columns: vectors of others, the first of which is `ahead` places behind the first of the rows.
        ahead: that number.
    """
    products = rows @ columns.T
    passed = products >= FLOOR - _ROUNDING
    if ahead < len(rows):
        passed &= np.arange(len(columns)) + ahead > np.arange(len(rows))[:, None]
    many = np.flatnonzero(passed.sum(axis=1) > _EACH)
    if len(many):
        best = np.argpartition(np.where(passed[many], products[many], -1), -_EACH, axis=1)[:, -_EACH:]
        passed[many] = False
        passed[many[:, None], best] = True
    first, second = np.nonzero(passed)
    return first, second


def _verified(
    shelf: Shelf,
    numbers: NDArray[np.int64],
    coefficients: NDArray[np.float16],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> Pairs:
    found = []
    for start in range(0, len(first), _VERIFIED):
        one, other = first[start : start + _VERIFIED], second[start : start + _VERIFIED]
        products = turned_products(coefficients[one].astype(np.float32), coefficients[other].astype(np.float32))
        row = products.argmax(axis=0)
        likeness = products.max(axis=0)
        alike = np.flatnonzero(likeness >= FLOOR)
        one, other, row, likeness = numbers[one[alike]], numbers[other[alike]], row[alike], likeness[alike]
        difference = plain_difference(plain(shelf.take(one)), plain(shelf.take(other)), row)
        pairs = Pairs(one, other, likeness.clip(max=1), np.array(POSITIONS)[row])
        found.append(pairs.where(difference <= np.interp(likeness, _LIKENESS, _DIFFERENCE)))
    return Pairs.joined(found)


def _thinned(pairs: Pairs) -> Pairs:
    """Return for each first image the pairs with the most alike, `_EACH` at most."""
    order = np.lexsort((-pairs.likeness, pairs.first))
    first = pairs.first[order]
    begins = np.flatnonzero(np.r_[True, first[1:] != first[:-1]])
    place = np.arange(len(first)) - np.repeat(begins, np.diff(np.r_[begins, len(first)]))
    return pairs.where(order[place < _EACH])
