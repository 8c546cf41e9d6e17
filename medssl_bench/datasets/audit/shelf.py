"""The images of all parts of a data set, in one row of numbers."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from medssl_bench.datasets.parts import Part

_BLOCK_BYTES = 2**22


class Shelf:
    """All images of a data set, each with one number.

    Args:
        parts: what it consists of; of one size.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = tuple(parts)
        self._starts = np.concatenate([[0], np.cumsum([len(part.images) for part in parts])])

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def size(self) -> int:
        """Side of the images in pixels."""
        return int(self.parts[0].images.shape[1])

    @cached_property
    def part_of(self) -> NDArray[np.int64]:
        """Number of the part that each image is of."""
        return np.repeat(np.arange(len(self.parts)), np.diff(self._starts))

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """A number for each image that is equal for equal labels; -1 where there is no label."""
        found = np.full(len(self), -1, np.int64)
        labelled = np.isin(self.part_of, [i for i, part in enumerate(self.parts) if part.labels is not None])
        if labelled.any():
            rows = np.concatenate([part.labels for part in self.parts if part.labels is not None])
            found[labelled] = np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)
        return found

    def place(self, number: int) -> tuple[Part, int]:
        """Return the part of an image, and its place there."""
        part = int(self.part_of[number])
        return self.parts[part], int(number - self._starts[part])

    def leak(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return for pairs of images whether they leak from one part to another."""
        leaks = [[a is not b and a.leaks_into(b) for b in self.parts] for a in self.parts]
        return np.array(leaks)[self.part_of[first], self.part_of[second]]

    def image(self, number: int) -> NDArray[np.uint8]:
        """Return one image."""
        part, place = self.place(number)
        return part.images[place]

    def take(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return some images, in the order of their numbers given."""
        found = np.empty((len(numbers), *self.parts[0].images.shape[1:]), np.uint8)
        for i, part in enumerate(self.parts):
            own = self.part_of[numbers] == i
            found[own] = part.images[numbers[own] - self._starts[i]]
        return found

    def blocks(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Yield the images in blocks of bounded size, each with the number of its first."""
        step = max(1, _BLOCK_BYTES // max(1, self.parts[0].images[:1].size))
        for part, start in zip(self.parts, self._starts[:-1], strict=True):
            for first in range(0, len(part.images), step):
                yield int(start) + first, np.asarray(part.images[first : first + step])
