"""Finds new images: in folders of any depth, files, tables, and arrays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets.folder.listing import list_below
from medssl_bench.datasets.folder.tree import LeftOut, Node
from medssl_bench.datasets.new_images.arrays import SUFFIXES, NewArray
from medssl_bench.datasets.new_images.files import NewFiles
from medssl_bench.datasets.table.reading import is_table, read_table
from medssl_bench.errors import DataError, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.datasets.new_images.kind import HowToRead, ImageKind


@dataclass(frozen=True)
class Search:
    """How images are found.

    Attributes:
        leave_out: patterns of files and folders that are left out, as of the data set `folder`; None: nothing is said.
        image: column of a table that has the paths.
        root: folder that these start from; None: the table's.
        ending: is put behind each.
        array: name of the array of a .npz file.
    """

    leave_out: list[str] | None = None
    image: str | None = None
    root: Path | None = None
    ending: str = ""
    array: str | None = None


@dataclass(frozen=True)
class Found:
    """New images.

    Attributes:
        groups: the images in the order of what was given.
        notes: what was left out, a line each.
    """

    groups: list[NewFiles | NewArray]
    notes: list[str]


def find_images(given: Sequence[Path], search: Search, kind: ImageKind, reading: HowToRead, cache_dir: Path) -> Found:
    """Return the images of folders, files, tables and arrays.

    Args:
        given: the paths; images are in their order, those of a folder sorted, those of a table in that of its rows.
        search: how they are found.
        kind: what the model takes.
        reading: how files are read.
        cache_dir: the cache.

    Raises:
        DataError: there are none, something would be left out without a word, or arrays are not what the model takes.
        UserError: an option is for another kind of path.
    """
    _require_used(given, search)
    groups: list[NewFiles | NewArray] = []
    notes: list[str] = []
    names: list[str] = []
    places: list[Path] = []
    single: list[str] = []

    def close() -> None:
        if names:
            groups.append(NewFiles(tuple(names), tuple(places), kind, reading, cache_dir))
            names.clear()
            places.clear()

    for path in given:
        if _is_array(path):
            close()
            groups.append(NewArray(path, search.array, kind, cache_dir))
        elif is_table(path):
            rows = _of_table(path, search)
            names += rows
            places += [(search.root or path.parent) / name for name in rows]
        else:
            found = _of_folder(path, search, notes) if path.is_dir() else [path]
            names += [file.as_posix() for file in found]
            single += [file.as_posix() for file in found]
            places += found
    close()
    if twice := [name for name, number in Counter(single).items() if number > 1]:
        raise DataError(f"{twice[0]}: this image is given twice; name it, or a folder that it is in, once")
    return Found(groups, notes)


def _is_array(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.is_dir()


def _require_used(given: Sequence[Path], search: Search) -> None:
    """Refuse options of what is not there.

    Raises:
        UserError: there is one, or a table without its column.
    """
    tables = [path for path in given if is_table(path)]
    if tables and not search.image:
        raise UserError(f"{tables[0]}: a table; say which column has the paths of the images: --image COLUMN")
    for name, value, there, what in (
        ("image", search.image, tables, "tables"),
        ("root", search.root, tables, "tables"),
        ("ending", search.ending, tables, "tables"),
        ("array", search.array, [path for path in given if _is_array(path)], ".npz files"),
        ("leave-out", search.leave_out, [path for path in given if path.is_dir()], "folders"),
    ):
        if value and not there:
            raise UserError(f"--{name}: this is for {what}, and none is given; leave it out")
    for path in given:
        if not path.exists():
            raise DataError(f"{path}: there is no such file or folder")


def _of_folder(folder: Path, search: Search, notes: list[str]) -> list[Path]:
    left_out = LeftOut()
    try:
        listing = list_below(Node(folder, folder, tuple(search.leave_out or ())), search.leave_out, left_out)
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error
    notes += [f"{folder}: {line}" for line in left_out.lines()]
    return [folder / name for name in listing.names]


def _of_table(path: Path, search: Search) -> list[str]:
    """Return the paths of a table's images, as it says them."""
    assert search.image is not None
    table, root = read_table(path, search.image), search.root or path.parent
    names = [f"{text}{search.ending}" if text else "" for text in table.column(search.image, "--image")]
    if "" in names:
        raise table.error(names.index(""), search.image, "blank; every row needs the path of its image")
    missing = [place for place, name in enumerate(names) if not (root / name).exists()]
    if missing:
        first = names[missing[0]]
        seen = f"there is no {root / first}; {len(missing):,} of {len(names):,} images are missing"
        raise table.error(missing[0], search.image, f"{seen}: correct --root, --ending or the table")
    return names
