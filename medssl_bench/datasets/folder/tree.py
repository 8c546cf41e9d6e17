"""The files below a folder, sorted by their use; each folder is listed when it is needed."""

from __future__ import annotations

import fnmatch
import os
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets.file_kinds import DICOM_SUFFIXES, SUFFIXES, is_foreign, is_image, masks_of_others
from medssl_bench.datasets.folder.names import is_companion, is_passed_over, is_variant, natural
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator


_OTHERS = "hidden or of other programs"


@dataclass
class LeftOut:
    """Files that are not read, counted by what they are and where.

    Attributes:
        counts: by (kind, folder relative to the root, with a slash at its end).
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """Return a text for each kind: ``left out: 30 .dcm files in malignant/``."""
        kinds: dict[str, dict[str, int]] = {}
        for (kind, place), number in self.counts.items():
            kinds.setdefault(kind, {})[place] = number
        return [f"left out: {_counted(sum(at.values()), kind)} in {_places(at)}" for kind, at in kinds.items()]


def _counted(number: int, kind: str) -> str:
    return f"{number:,} {kind if number > 1 else kind.replace('files', 'file', 1).replace('images', 'image', 1)}"


def _places(places: dict[str, int]) -> str:
    shown = [f"{place or './'}" for place in list(places)[:3]]
    return ", ".join(shown) + (f" and {len(places) - 3} folders more" if len(places) > 3 else "")


@dataclass
class Node:
    """A folder below the root.

    Attributes:
        path: of the folder.
        root: the folder of the data set.
        leave_out: patterns of names, or of paths below the root, that are left out.
        is_link: whether it is a symbolic link.
    """

    path: Path
    root: Path
    leave_out: tuple[str, ...] = ()
    is_link: bool = False

    @property
    def place(self) -> str:
        """Its path below the root, with a slash at the end; empty for the root."""
        relative = self.path.relative_to(self.root).as_posix()
        return "" if relative == "." else f"{relative}/"

    @cached_property
    def folders(self) -> dict[str, Node]:
        """The folders in it by name, in the order of people; those of other programs are not among them."""
        names = sorted((e.name for e in self._entries if self._is_folder(e)), key=natural)
        links = {e.name for e in self._entries if e.is_symlink()}
        return {name: Node(self.path / name, self.root, self.leave_out, name in links) for name in names}

    @cached_property
    def images(self) -> list[str]:
        """Names of the image files in it, by their suffixes; DICOM files also by how they begin."""
        return [name for name in self._files if is_image(self.path / name)]

    @cached_property
    def others(self) -> list[str]:
        """Names of the other files in it."""
        images = set(self.images)
        return [name for name in self._files if name not in images]

    def below(self) -> Iterator[Node]:
        """Yield the folder and all below it, without following links."""
        yield self
        for node in self.folders.values():
            if not node.is_link:
                yield from node.below()

    def count(self) -> int:
        """Return the number of images in it and below."""
        return sum(len(node.images) for node in self.below())

    def foreign(self) -> list[str]:
        """Return the names of the files in it that hold images of a kind which is not read."""
        return [name for name in self.others if is_foreign(self.path / name)]

    def masks(self) -> list[tuple[str, str]]:
        """Return the images that are masks of others by their names, each with what its name has more."""
        found = masks_of_others([Path(name).stem for name in self.images])
        return [(self.images[place], sign) for place, sign in found]

    def twins(self) -> list[str]:
        """Return the images that have the name of another with an ending of more images; if half of them are so."""
        named = [name for name in self.images if Path(name).suffix.lower() in SUFFIXES | DICOM_SUFFIXES]
        endings = Counter(Path(name).suffix for name in named)
        first: dict[str, str] = {}
        for name in sorted(named, key=lambda name: -endings[Path(name).suffix]):
            first.setdefault(Path(name).stem, name)
        found = [name for name in named if first[Path(name).stem] != name]
        return found if len(found) > 1 and 2 * len(found) >= len(first) else []

    def count_left_out(self, into: LeftOut, used: set[Path], *, inside: bool = False) -> None:
        """Count what is not read in the folder and below.

        Args:
            into: where it is counted.
            used: the class folders, whose images are read.
            inside: whether it is in one of them.
        """
        inside = inside or self.path in used
        for entry in self._entries:
            if not is_passed_over(entry.name) and not self._is_left(entry.name):
                continue
            kind = _OTHERS if is_passed_over(entry.name) else "by 'leave_out'"
            into.counts[kind, self.place] += 1
        for name in self.others:
            suffix = Path(name).suffix
            into.counts[f"{suffix} files" if suffix else "files without an ending", self.place] += 1
        if not inside and self.images:
            into.counts["images outside of the classes", self.place] += len(self.images)
        for node in self.folders.values():
            if node.path in used or not node.is_link:
                node.count_left_out(into, used, inside=inside)
            else:
                into.counts["links to folders", self.place] += 1

    @cached_property
    def _entries(self) -> list[os.DirEntry[str]]:
        with os.scandir(self.path) as entries:
            return sorted(entries, key=lambda entry: entry.name)

    @cached_property
    def _files(self) -> list[str]:
        return [e.name for e in self._entries if not e.is_dir() and self._is_seen(e.name)]

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        return entry.is_dir() and self._is_seen(entry.name)

    def _is_seen(self, name: str) -> bool:
        return not is_passed_over(name) and not self._is_left(name)

    def _is_left(self, name: str) -> bool:
        return any(_matches(f"{self.place}{name}", pattern) for pattern in self.leave_out)


def _matches(path: str, pattern: str) -> bool:
    """Return whether a pattern is of a name, or, with a slash in it, of a path from the root (``./*.png``)."""
    if "/" not in pattern.rstrip("/"):
        return fnmatch.fnmatchcase(path.rpartition("/")[2], pattern.rstrip("/"))
    names, patterns = path.split("/"), pattern.removeprefix("./").rstrip("/").split("/")
    return len(names) == len(patterns) and all(map(fnmatch.fnmatchcase, names, patterns))


def refuse_foreign(node: Node) -> None:
    """Refuse files in a class folder that are images of a kind which is not read.

    Raises:
        DataError: there are some.
    """
    found = [below.path / name for below in node.below() for name in below.foreign()]
    if not found:
        return
    suffix = found[0].suffix
    same = [path for path in found if path.suffix == suffix]
    files = "file" if len(same) == 1 else "files"
    what = f"{suffix} {files}" if suffix else f"{files} without an ending"
    pattern = f"*{suffix}" if suffix else found[0].name
    images = node.count()
    instead = f', or say leave_out = ["{pattern}"] to go without' if images else ""
    raise DataError(
        f"{node.path}: has {len(same):,} {what} ({same[0].relative_to(node.path)}, say) beside {images:,} images; this "
        f"kind is not read: convert to PNG{instead}"
    )


def refuse_masks(node: Node) -> None:
    """Refuse masks that lie beside the images that they are of.

    Raises:
        DataError: there are some.
    """
    for below in node.below():
        if masks := below.masks():
            name, sign = masks[0]
            raise DataError(
                f"{node.path}: {len(masks):,} of {len(below.images):,} images look like masks of the others ({name}, "
                f'say); say leave_out = ["*{sign}*"], or leave_out = [] if they are images of the class'
            )
        if twins := below.twins():
            what = f"{len(twins):,} of {len(below.images):,} images have the name of another with another ending"
            raise DataError(
                f"{below.path}: {what} ({twins[0]}, say), so they may be masks or copies; say "
                f'leave_out = ["*{Path(twins[0]).suffix}"], or leave_out = [] if they are images of the class'
            )
        if extra := _variant_of(below):
            raise DataError(
                f"{below.path}: {extra}/ looks like other versions of the images beside it, which would be in several "
                f'splits; say leave_out = ["{extra}"], or leave_out = [] if they are images of the class'
            )
        if extra := _companion_of(below):
            raise DataError(
                f"{below.path}: {extra}/ beside the images looks like something about them; say "
                f'leave_out = ["{extra}"], or leave_out = [] if it holds images of the class'
            )


def _variant_of(node: Node) -> str:
    """Return the name of a folder of augmented images, or the like, that is in a class folder."""
    total = node.count()
    return next((n for n, below in node.folders.items() if is_variant(n) and 0 < below.count() < total), "")


def _companion_of(node: Node) -> str:
    """Return the name of a folder of masks, or the like, that is beside images."""
    total = node.count()
    return next((n for n, below in node.folders.items() if is_companion(n) and 0 < below.count() < total), "")
