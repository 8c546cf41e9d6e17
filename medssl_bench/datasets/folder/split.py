"""Which images of a folder are for training, validation and test."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.grouped_splits import drawn_splits
from medssl_bench.errors import DataError
from medssl_bench.randomness import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.folder.listing import Listing

    _Parts = dict[SplitName, list[NDArray[np.int64]]]


def assign_splits(
    listing: Listing, validation: float, test: float, seed: int, groups: NDArray[np.int64] | None = None
) -> dict[SplitName, NDArray[np.int64]]:
    """Return the places of each split's images in the listing.

    Splits that the folder gives stay as they are. Those that it lacks are drawn from the training images, class by
    class: of a class with n images, ``test * n`` and ``validation * n``, rounded half up, and one at least is left for
    training. Each class has a random stream of its own, so another class more or less leaves its draw as it is. With
    groups, whole groups are drawn instead, as `drawn_splits` does it, and so are images with several labels.

    Args:
        listing: the images.
        validation: fraction of the training images that becomes the validation split, where there is none.
        test: the same of the test split.
        seed: of the draw.
        groups: (N,) number of the group (the patient, say) of each image; None: each image is drawn by itself.

    Raises:
        DataError: a split would be empty.
    """
    given = set(listing.found_in)
    shares: dict[SplitName, float] = {
        "val": 0.0 if "val" in given else validation,
        "test": 0.0 if "test" in given else test,
    }
    plain = groups is None and not listing.label_sets
    parts = _by_class(listing, shares, seed) if plain else _by_group(listing, shares, seed, groups)
    found_in = np.array(listing.found_in)
    for split in given - {"train"}:
        parts[split] = [np.flatnonzero(found_in == split)]
    splits = {split: np.sort(np.concatenate(parts[split])) for split in SPLITS}
    for split, places in splits.items():
        if not len(places):
            fraction = "validation" if split == "val" else "test"
            raise DataError(
                f"{listing.root}: the {split} split is empty; raise the fraction '{fraction}', or give the split as "
                f"{split}/<class>/ beside train/"
            )
    return splits


def _by_class(listing: Listing, shares: dict[SplitName, float], seed: int) -> _Parts:
    found_in, labels = np.array(listing.found_in), np.array(listing.labels)
    parts: _Parts = {split: [] for split in SPLITS}
    for label, name in enumerate(listing.classes):
        own = np.flatnonzero((found_in == "train") & (labels == label))
        shuffled = generator("folder split", seed=seed, label=name).permutation(own)
        tests = min(_rounded(shares["test"] * len(own)), len(own) - 1)
        vals = min(_rounded(shares["val"] * len(own)), len(own) - 1 - tests)
        parts["test"].append(shuffled[:tests])
        parts["val"].append(shuffled[tests : tests + vals])
        parts["train"].append(shuffled[tests + vals :])
    return parts


def _by_group(listing: Listing, shares: dict[SplitName, float], seed: int, groups: NDArray[np.int64] | None) -> _Parts:
    own = np.flatnonzero(np.array(listing.found_in) == "train")
    labels, own_groups = listing.numbers()[own], None if groups is None else groups[own]
    wanted: dict[SplitName, float] = {"train": 1 - sum(shares.values()), **shares}
    try:
        drawn = drawn_splits(labels, own_groups, wanted, seed)
    except DataError as error:
        raise DataError(f"{listing.root}: {error}") from None
    for label, name in enumerate(listing.classes):
        have = labels[:, label] > 0 if listing.label_sets else labels[:, 0] == label
        if have.any() and not have[drawn["train"]].any():
            what = "image" if own_groups is None else "group with images"
            number = have.sum() if own_groups is None else len(np.unique(own_groups[have]))
            raise DataError(
                f"{listing.root}: the draw left no {what} of class {name!r} (of {number}) for training; try another "
                f"'seed', or give the splits"
            )
    return {split: [own[places]] for split, places in drawn.items()}


def _rounded(number: float) -> int:
    return floor(number + 0.5)
