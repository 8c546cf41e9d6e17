"""Which images of a folder are for training, validation and test."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import SPLITS
from medssl_bench.errors import DataError
from medssl_bench.randomness import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.folder.listing import Listing


def assign_splits(listing: Listing, validation: float, test: float, seed: int) -> dict[SplitName, NDArray[np.int64]]:
    """Return the places of each split's images in the listing.

    Splits that the folder gives stay as they are. Those that it lacks are drawn from the training images, class by
    class: of a class with n images, ``test * n`` and ``validation * n``, rounded half up, and one at least is left for
    training. Each class has a random stream of its own, so another class more or less leaves its draw as it is.

    Args:
        listing: the images.
        validation: fraction of the training images that becomes the validation split, where there is none.
        test: the same of the test split.
        seed: of the draw.

    Raises:
        DataError: a split would be empty.
    """
    found_in = np.array(listing.found_in)
    labels = np.array(listing.labels)
    given = set(listing.found_in)
    parts: dict[SplitName, list[NDArray[np.int64]]] = {s: [np.flatnonzero(found_in == s)] for s in ("val", "test")}
    parts["train"] = []
    for label, name in enumerate(listing.classes):
        own = np.flatnonzero((found_in == "train") & (labels == label))
        shuffled = generator("folder split", seed=seed, label=name).permutation(own)
        tests = 0 if "test" in given else min(_rounded(test * len(own)), len(own) - 1)
        vals = 0 if "val" in given else min(_rounded(validation * len(own)), len(own) - 1 - tests)
        parts["test"].append(shuffled[:tests])
        parts["val"].append(shuffled[tests : tests + vals])
        parts["train"].append(shuffled[tests + vals :])
    splits = {split: np.sort(np.concatenate(parts[split])) for split in SPLITS}
    for split, places in splits.items():
        if not len(places):
            fraction = "validation" if split == "val" else "test"
            raise DataError(
                f"{listing.root}: the {split} split is empty; raise the fraction '{fraction}', or give the split as "
                f"{split}/<class>/ beside train/"
            )
    return splits


def _rounded(number: float) -> int:
    return floor(number + 0.5)
