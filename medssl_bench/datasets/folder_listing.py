"""The images of a folder: which there are, of which class, and in which split they were found."""

from __future__ import annotations

import os
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets.base import SPLITS
from medssl_bench.errors import DataError

if TYPE_CHECKING:
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
        DataError: the folder has no images in class folders, the class folders of the splits do not agree, or
            something in it cannot be read, would be read twice, or would be left out unnoticed.
    """
    if not root.is_dir():
        what = "there is no such folder" if not root.exists() else "a file, not a folder of images"
        raise DataError(f"{root}: {what}; correct 'path' of the data set 'folder'")
    try:
        return _list_images(root)
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error


def _list_images(root: Path) -> Listing:
    given: list[SplitName] = [split for split in SPLITS if (root / split).is_dir()]
    if given and "train" not in given:
        raise DataError(f"{root}: has {given[0]}/ but no train/; give the training split too, or class folders alone")
    start = root / "train" if given else root
    classes = _class_names(start)
    if len(classes) < 2:
        raise DataError(
            f"{start}: has {len(classes)} class folders; it needs two or more, each with the images of a class"
        )
    folders = [root / split for split in given] or [root]
    for folder in folders:
        if unknown := [name for name in _class_names(folder) if name not in classes]:
            raise DataError(f"{folder / unknown[0]}: the training split has no class folder of that name")
    _refuse_shared([folder / name for folder in folders for name in classes if (folder / name).exists()])
    rows = [
        (image.relative_to(root).as_posix(), label, split)
        for split, folder in zip(given or SPLITS[:1], folders, strict=True)
        for label, name in enumerate(classes)
        if (folder / name).exists()  # a split may lack a class
        for image in _images(folder / name)
    ]
    _require_training_images(start, classes, rows)
    names, labels, found_in = zip(*rows, strict=True)
    return Listing(root, tuple(classes), names, labels, found_in)


def _class_names(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    for name in names:
        if not name.isprintable():
            raise DataError(f"{folder / name}: the name of a class has letters that cannot be shown; rename the folder")
    if all(name.isdecimal() for name in names):  # grades: 10 comes after 9
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def _refuse_shared(folders: list[Path]) -> None:
    """Refuse class folders that are links to each other, or around each other: their images would count twice."""
    real = {folder: folder.resolve() for folder in folders}
    seen: dict[Path, Path] = {}
    for folder, place in real.items():
        seen.setdefault(place, folder)
    for folder, place in real.items():
        for around in (place, *place.parents):
            other = seen.get(around)
            if other is not None and other != folder:
                raise DataError(f"{folder}: its images are those of {other} too; remove the link")


def _images(folder: Path) -> list[Path]:
    """Return the images of a folder and the folders below it, sorted."""
    found = []
    for place, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:
            if Path(place, name).is_symlink():
                raise DataError(f"{Path(place, name)}: a link to a folder, which is not followed; put the folder here")
        found += [
            Path(place, name) for name in files if not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES
        ]
    for image in found:
        _require_file(image)
    return sorted(found, key=lambda image: image.as_posix())


def _raise(error: OSError) -> None:
    raise error


def _require_file(image: Path) -> None:
    if not stat.S_ISREG(image.stat().st_mode):
        raise DataError(f"{image}: not a file, but a pipe, a device or the like; remove it")
    if not image.name.isascii():
        try:
            str(image).encode("utf-8")
        except UnicodeEncodeError:
            raise DataError(f"{image}: its name is not UTF-8; rename it") from None


def _require_training_images(start: Path, classes: list[str], rows: list[tuple[str, int, SplitName]]) -> None:
    counts = Counter(label for _, label, split in rows if split == "train")
    for label, name in enumerate(classes):
        if not counts[label]:
            kinds = ", ".join(sorted(suffix.removeprefix(".") for suffix in _SUFFIXES))
            raise DataError(f"{start / name}: holds no images; a class folder needs some, as {kinds}")
