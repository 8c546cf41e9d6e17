"""The parts of a data set that have images: its splits, and its images without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.datasets.base import SPLITS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import Dataset, Split, SplitName

UNLABELLED = "unlabelled"

_WORDS = {"train": "training", "val": "validation"}


@dataclass(frozen=True)
class Part:
    """A split of a data set, or its images without labels.

    Attributes:
        name: ``train``, ``val``, ``test`` or ``unlabelled``.
        images: uint8, (N, S, S) or (N, S, S, 3); it may be a memory map.
        labels: (N, L), or None.
        groups: (N,), or None.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None = None
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def word(self) -> str:
        """What its images are called in a sentence."""
        return _WORDS.get(self.name, self.name)

    def leaks_into(self, other: Part) -> bool:
        """Return whether an image in both makes numbers too good: it does, unless both are there to be learned from."""
        return {self.name, other.name} != {"train", UNLABELLED}


def parts_of(dataset: Dataset, splits: Mapping[SplitName, Split] | None = None) -> list[Part]:
    """Return the parts of a data set that have images.

    Args:
        dataset: where they are read from.
        splits: what its `load` gave; None: it is called.

    Raises:
        DataError: they cannot be had or are not valid.
    """
    splits = dataset.load() if splits is None else splits
    parts = [
        Part(name, splits[name].images, splits[name].labels, splits[name].groups) for name in SPLITS if name in splits
    ]
    info = dataset.info()
    if info is not None and info.unlabelled:
        found = dataset.load_unlabelled()
        parts.append(Part(UNLABELLED, found.images, None, found.groups))
    return [part for part in parts if len(part)]
