"""The images of a folder: which there are, of which class, and in which split they were found."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets.base import SPLITS
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.datasets.base import SplitName

_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class Listing:
    """The images of a folder, ordered by split, class and name.

    Attributes:
        root: the folder.
        classes: names of the classes, in order.
        names: paths of the images relative to the folder, with forward slashes.
        labels: class number of each image.
        found_in: the split whose folder each image was found in; ``train`` where the folder has no splits.
    """

    root: Path
    classes: tuple[str, ...]
    names: tuple[str, ...]
    labels: tuple[int, ...]
    found_in: tuple[SplitName, ...]


def list_images(root: Path) -> Listing:
    """List the images of ``root/<class>/``, or of ``root/train/<class>/``, ``root/val/...`` and ``root/test/...``.

    Files that are no images, and hidden ones, are passed over; folders below a class folder belong to the class.

    Raises:
        DataError: the folder has no images in class folders, or the class folders of the splits do not agree.
    """
    if not root.is_dir():
        what = "there is no such folder" if not root.exists() else "a file, not a folder of images"
        raise DataError(f"{root}: {what}; correct 'path' of the data set 'folder'")
    given: list[SplitName] = [split for split in SPLITS if (root / split).is_dir()]
    if given and "train" not in given:
        raise DataError(f"{root}: has {given[0]}/ but no train/; give the training split too, or class folders alone")
    start = root / "train" if given else root
    classes = _class_names(start)
    if len(classes) < 2:
        raise DataError(
            f"{start}: has {len(classes)} class folders; it needs two or more, each with the images of a class"
        )
    rows = [
        (name, label, split)
        for split in given or SPLITS[:1]
        for name, label in _split_images(root, root / split if given else root, classes)
    ]
    _require_training_images(start, classes, rows)
    names, labels, found_in = zip(*rows, strict=True)
    return Listing(root, tuple(classes), names, labels, found_in)


def _split_images(root: Path, folder: Path, classes: list[str]) -> Iterator[tuple[str, int]]:
    """Yield the images of a split with their class numbers."""
    if unknown := [name for name in _class_names(folder) if name not in classes]:
        raise DataError(f"{folder / unknown[0]}: the training split has no class folder of that name")
    for label, name in enumerate(classes):
        for image in _images(folder / name):
            yield image.relative_to(root).as_posix(), label


def _class_names(folder: Path) -> list[str]:
    names = [entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith(".")]
    if all(name.isdecimal() for name in names):  # grades: 10 comes after 9
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def _images(folder: Path) -> list[Path]:
    """Return the images of a folder and the folders below it, sorted."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(place, name) for name in files if not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES
        ]
    return sorted(found, key=lambda image: image.as_posix())


def _require_training_images(start: Path, classes: list[str], rows: list[tuple[str, int, SplitName]]) -> None:
    counts = Counter(label for _, label, split in rows if split == "train")
    for label, name in enumerate(classes):
        if not counts[label]:
            kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in _SUFFIXES))
            raise DataError(f"{start / name}: holds no images; a class folder needs some, as {kinds}")
