"""The images of a folder: which there are, of which class, and in which split they were found."""

from __future__ import annotations

import hashlib
import json
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets.file_kinds import KINDS
from medssl_bench.datasets.folder.doubts import inner_folders, no_folders, refuse_rest
from medssl_bench.datasets.folder.layout import Wishes, find_layout
from medssl_bench.datasets.folder.tree import LeftOut, Node, refuse_foreign, refuse_masks
from medssl_bench.datasets.folder.unlabelled import CLASSES, take_unlabelled
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.folder.files import Files
    from medssl_bench.datasets.folder.layout import Layout


@dataclass(frozen=True)
class Listing:
    """The images of a folder, ordered by split, class and name.

    Attributes:
        root: the folder.
        classes: names of the classes, in order.
        names: paths of the images relative to the folder, with forward slashes.
        labels: class number of each image.
        found_in: the split whose folder each image was found in; ``train`` where the folder has no splits.
        notes: what was understood of the folder, and what was left out, for people.
        unlabelled: the images in ``unlabelled/``, of one class without a meaning, or None where there is none.
        patients: what its folders say of patients, which splits that are drawn by image part; empty if nothing.
        label_sets: the class numbers of each image where images have several labels (then `labels` has the first);
            empty where they have one.
    """

    root: Path
    classes: tuple[str, ...]
    names: tuple[str, ...]
    labels: tuple[int, ...]
    found_in: tuple[SplitName, ...]
    notes: tuple[str, ...] = ()
    unlabelled: Listing | None = None
    patients: str = ""
    label_sets: tuple[tuple[int, ...], ...] = ()

    def numbers(self) -> NDArray[np.int64]:
        """Return the labels: class numbers (N, 1), or (N, L) of 0 and 1 where images have several."""
        import numpy as np

        if not self.label_sets:
            return np.array(self.labels, np.int64)[:, None]
        return np.array([[label in own for label in range(len(self.classes))] for own in self.label_sets], np.int64)

    def reading(self) -> str:
        """Return what two readings of the same files differ in; empty if the names determine it.

        They do in ``train/CLASS/``, ``val/CLASS/`` and ``test/CLASS/``, and in ``CLASS/``.
        """
        if self.label_sets:
            return hashlib.sha256(json.dumps([self.classes, self.label_sets, self.found_in]).encode()).hexdigest()
        split = any(name != "train" for name in self.found_in)
        for name, label, found_in in zip(self.names, self.labels, self.found_in, strict=True):
            start = f"{self.classes[label]}/"
            if not name.startswith(start if not split else f"{found_in}/{start}"):
                if not split and name.startswith(f"train/{start}"):  # with a train/ alone
                    continue
                places = json.dumps([self.classes, self.labels, self.found_in])
                return hashlib.sha256(places.encode()).hexdigest()
        return ""


def list_images(root: Path, wishes: Wishes | None = None, leave_out: Sequence[str] | None = None) -> Listing:
    """List the images of ``root/<class>/``, or of ``root/train/<class>/``, ``root/val/...`` and ``root/test/...``.

    Those below ``root/unlabelled/`` are listed by themselves.

    What is like these is understood, and noted; what could be something else is refused. Files that are no images, and
    hidden ones, are counted in a note; folders below a class folder belong to the class.

    Args:
        root: the folder.
        wishes: what the suite says of its layout.
        leave_out: patterns of names that are left out; of the others, masks beside images are refused, unless it
            is empty.

    Raises:
        DataError: the folder has no images in class folders, the class folders of the splits do not agree, or
            something in it cannot be read, would be read twice, or would be left out unnoticed.
    """
    if not root.is_dir():
        what = "there is no such folder" if not root.exists() else "a file, not a folder of images"
        raise DataError(f"{root}: {what}; correct 'path' of the data set 'folder'")
    try:
        return _list_images(root, wishes or Wishes(), leave_out)
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error


def _list_images(root: Path, wishes: Wishes, leave_out: Sequence[str] | None) -> Listing:
    top = Node(root, root, tuple(leave_out or ()))
    if not top.folders and top.images:
        raise DataError(no_folders(top))
    left_out = LeftOut()
    apart = take_unlabelled(top, wishes.classes)
    unlabelled = list_below(apart, leave_out, left_out) if apart else None
    layout = find_layout(top, wishes)
    used = {node.path: node for _, _, node in layout.places}
    _refuse_shared(list(used))
    if wishes.splits is None and wishes.classes is None:
        refuse_rest(top, layout.top, set(used))
    rows: list[tuple[str, int, SplitName]] = []
    for split, label, node in layout.places:
        refuse_foreign(node)
        if leave_out != []:
            refuse_masks(node)
        rows += [(name, label, split) for name in _images(node)]
    _require_training_images(layout, rows)
    names, labels, found_in = zip(*rows, strict=True)
    top.count_left_out(left_out, set(used))
    inner, patients = inner_folders([node for _, _, node in layout.places])
    notes = (*layout.notes, *inner, *_missing(layout, rows), *left_out.lines())
    return Listing(root, layout.classes, names, labels, found_in, notes, unlabelled, patients)


def list_below(node: Node, leave_out: Sequence[str] | None, left_out: LeftOut) -> Listing:
    """List all images of a folder and the folders below it, which have no labels.

    Args:
        node: the folder.
        leave_out: as of `list_images`.
        left_out: where the files are counted that are not read.

    Raises:
        DataError: there are none, or something would be left out unnoticed.
    """
    refuse_foreign(node)
    if leave_out != []:
        refuse_masks(node)
    names = _images(node)
    if not names:
        raise DataError(f"{node.path}: holds no images; put some there, as {KINDS}, or remove the folder")
    node.count_left_out(left_out, {node.path})
    return without_labels(node.root, names)


def without_labels(root: Path, names: Sequence[str]) -> Listing:
    """Return a listing of images without labels, by their paths below a folder."""
    split: SplitName = "train"
    return Listing(root, CLASSES, tuple(names), (0,) * len(names), (split,) * len(names))


def _missing(layout: Layout, rows: list[tuple[str, int, SplitName]]) -> list[str]:
    """Return which classes have no images in a split that the folder gives."""
    counts = Counter((split, label) for _, label, split in rows)
    notes = []
    for split in {split for _, _, split in rows}:
        lacking = [name for label, name in enumerate(layout.classes) if not counts[split, label]]
        if lacking:
            notes.append(f"no {split} images of {', '.join(lacking[:5])}{' ...' if len(lacking) > 5 else ''}")
    return sorted(notes)


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


def _images(node: Node) -> list[str]:
    """Return the images of a folder and the folders below it, by their paths below the root, sorted."""
    found = []
    for below in node.below():
        for name, inner in below.folders.items():
            if inner.is_link:
                raise DataError(f"{below.path / name}: a link to a folder, which is not followed; put the folder here")
        place = below.place
        found += [f"{place}{name}" for name in below.images]
    return sorted(found)


def unreadable_files(listing: Files, *, opened: bool = False) -> dict[str, str]:
    """Return what is wrong with the files of a listing, by name, before they are decoded.

    Args:
        listing: the images.
        opened: whether to open each.
    """
    return {name: wrong for name in listing.names if (wrong := _wrong_with(listing.root / name, opened=opened))}


def _wrong_with(image: Path, *, opened: bool) -> str:
    try:
        if not stat.S_ISREG(image.stat().st_mode):  # reading it might never end
            return "not a file, but a pipe, a device or the like"
        if opened:
            with image.open("rb") as file:
                while file.read(1 << 20):
                    pass
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not image.name.isascii():
        try:
            str(image).encode("utf-8")
        except UnicodeEncodeError:
            return "its name is not UTF-8"
    return ""


def _require_training_images(layout: Layout, rows: list[tuple[str, int, SplitName]]) -> None:
    counts = Counter(label for _, label, split in rows if split == "train")
    for label, name in enumerate(layout.classes):
        if not counts[label]:
            places = [node.path for split, at, node in layout.places if (split, at) == ("train", label)]
            where = places[0] if places else name
            raise DataError(f"{where}: holds no images; a class folder needs some, as {KINDS}")
