"""Several labels of an image in a folder: its file lies in the class folder of each."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from medssl_bench.errors import DataError, quoted

if TYPE_CHECKING:
    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.folder.listing import Listing


def with_several_labels(listing: Listing, negative: str | None) -> Listing:
    """Return a listing in which each image stands once, with all its labels.

    Files of one name and one content in several class folders of a split are one image. Files of one name with other
    contents are other images: many cameras number from 0.

    Args:
        listing: with one label for each file.
        negative: the class folder of images that have none of the labels; None: there is none.

    Raises:
        DataError: no image has several labels, an image lies in a class folder twice, has labels and none at once, or
            there is no such folder as `negative`.
        OSError: a file cannot be read.
    """
    if negative is not None and negative not in listing.classes:
        raise DataError(
            f"{listing.root}: has no class folder {negative!r} ('negative'); it has {quoted(listing.classes)}"
        )
    classes = tuple(name for name in listing.classes if name != negative)
    places_of = _images(listing)
    several = sum(len(places) > 1 for places in places_of)
    if not several:
        raise DataError(
            f"{listing.root}: no image lies in two class folders, so each has one label; leave 'task' out, or copy an "
            f"image to the folder of each of its labels; a table with several labels is the data set 'table'"
        )
    label_sets = []
    for places in places_of:
        names = [listing.classes[listing.labels[place]] for place in places]
        if negative in names and len(names) > 1:
            other = next(name for name in names if name != negative)
            where = listing.names[places[0]]
            raise DataError(f"{listing.root}: {where}: lies in {negative!r} and in {other!r}; remove one of the files")
        label_sets.append(tuple(sorted(classes.index(name) for name in names if name != negative)))
    kept = [places[0] for places in places_of]
    note = f"{several:,} of {len(kept):,} images lie in several class folders and have several labels"
    return replace(
        listing,
        classes=classes,
        names=tuple(listing.names[place] for place in kept),
        labels=tuple(labels[0] if labels else 0 for labels in label_sets),
        found_in=tuple(listing.found_in[place] for place in kept),
        notes=(*listing.notes, note),
        label_sets=tuple(label_sets),
    )


def _images(listing: Listing) -> list[list[int]]:
    """Return the places of the files of each image, in the order of the first file.

    Raises:
        DataError: an image lies in a class folder twice.
    """
    alike: dict[tuple[SplitName, str], list[int]] = defaultdict(list)
    for place, (split, name) in enumerate(zip(listing.found_in, listing.names, strict=True)):
        alike[split, PurePosixPath(name).name].append(place)
    found: list[list[int]] = []
    for places in alike.values():
        if len({listing.labels[place] for place in places}) == 1:
            found += [[place] for place in places]
            continue
        by_content: dict[str, list[int]] = defaultdict(list)
        for place in places:
            with (listing.root / listing.names[place]).open("rb") as file:
                by_content[hashlib.file_digest(file, "sha256").hexdigest()].append(place)
        for same in by_content.values():
            labels = [listing.labels[place] for place in same]
            if len(set(labels)) < len(labels):
                names = quoted([listing.names[place] for place in same])
                raise DataError(f"{listing.root}: {names} are one image; keep one in a class folder")
        found += by_content.values()
    return sorted(found)
