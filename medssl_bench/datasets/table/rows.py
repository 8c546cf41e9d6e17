"""Which rows of a table are read, and where their images are."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.datasets.file_kinds import SUFFIXES, is_image
from medssl_bench.errors import DataError, did_you_mean, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from medssl_bench.datasets.table.reading import Table


def filtered(table: Table, where: Mapping[str, Sequence[str]]) -> tuple[Table, list[str]]:
    """Return the rows whose columns have one of the values that are asked for, and a note on the others.

    Raises:
        DataError: a value is in no row, or no row is left.
    """
    notes = []
    for column, values in where.items():
        texts = table.column(column, "where")
        if missing := [value for value in values if value not in texts]:
            near = did_you_mean(missing[0], sorted(set(texts)))
            raise DataError(f"{table.path}: column {column!r} ('where'): no row has {missing[0]!r}{near}")
        left = [place for place, text in enumerate(texts) if text in values]
        if len(left) < len(texts):
            notes.append(f"left out: {len(texts) - len(left):,} rows whose {column!r} is not {' or '.join(values)}")
        table = table.taken(left)
        if not len(table):
            raise DataError(f"{table.path}: 'where' leaves no rows: no row has all that it asks for")
    return table, notes


def image_names(table: Table, column: str, root: Path, ending: str, folders: Sequence[str]) -> list[str]:
    """Return the path of each row's image below the root, with forward slashes.

    Args:
        table: the rows.
        column: that has the paths.
        root: the folder that they start from.
        ending: is put behind each.
        folders: below the root, in which the images are; one of them has each image.

    Raises:
        DataError: a path is blank, or absolute and not below the root.
    """
    where = _in_folders(root, folders) if folders else None
    names = []
    for place, text in enumerate(table.column(column, "image")):
        if not text:
            raise table.error(place, column, "blank; every row needs the path of its image")
        name = text.replace("\\", "/")
        if name.startswith("/"):
            if not Path(name).is_relative_to(root):
                raise table.error(place, column, f'{text} is not below {root}; say root = "..."')
            name = Path(name).relative_to(root).as_posix()
        name = posixpath.normpath(name) + ending
        names.append(name if where is None else where(table, place, name))
    return names


def _in_folders(root: Path, folders: Sequence[str]) -> Callable[[Table, int, str], str]:
    """Return what finds an image in the folders.

    Raises:
        DataError: one is not there.
    """
    inside: dict[str, set[str]] = {}
    for folder in folders:
        try:
            inside[folder] = {entry.name for entry in os.scandir(root / folder)}
        except OSError as error:
            raise DataError(f"{root / folder}: cannot be read ({error.strerror}); correct 'folders'") from error

    def find(table: Table, place: int, name: str) -> str:
        found = [folder for folder, names in inside.items() if name in names]
        if len(found) > 1:
            raise table.error(place, "image", f"{name} is in {found[0]} and in {found[1]}; name one of them")
        return posixpath.join(found[0] if found else folders[0], name)

    return find


def without_missing(
    table: Table, names: Sequence[str], root: Path, column: str, *, leave_out: bool, told: Callable[[list[str]], str]
) -> list[int]:
    """Return the places of the rows whose image is there.

    Args:
        table: the rows.
        names: of their images.
        root: the folder that they are in.
        column: that has the paths.
        leave_out: whether rows without one are left out.
        told: writes all that are missing into a file, and says where.

    Raises:
        DataError: images are missing, and are not to be left out.
    """
    missing = [place for place, name in enumerate(names) if not (root / name).is_file()]
    if not missing or (leave_out and len(missing) < len(names)):
        gone = set(missing)
        return [place for place in range(len(names)) if place not in gone]
    first = names[missing[0]]
    endings = [end for end in sorted(SUFFIXES) if (root / f"{first}{end}").is_file()]
    advice = f'say ending = "{endings[0]}"' if endings else "correct 'root' or the table"
    if not endings and len(missing) < len(names):
        advice += ', or say missing = "leave_out" to go without'
    all_told = told([printable(names[place]) for place in missing])
    seen = f"there is no {root / first}; {len(missing):,} of {len(names):,} images are missing{all_told}"
    raise table.error(missing[0], column, f"{seen}: {advice}")


def without_repeats(table: Table, names: Sequence[str], same: Sequence[object], column: str) -> list[int]:
    """Return the first row of each image.

    Args:
        table: the rows.
        names: of their images.
        same: what rows of one image must agree in: labels, split, group.
        column: that has the paths.

    Raises:
        DataError: rows of one image differ.
    """
    first: dict[str, int] = {}
    for place, name in enumerate(names):
        earlier = first.setdefault(name, place)
        if same[earlier] != same[place]:
            raise table.error(
                place,
                column,
                f"{name} is in row {table.rows[earlier]} too, with another label, split or group; leave one",
            )
    return list(first.values())


def beside(root: Path, names: Sequence[str], all_names: Sequence[str]) -> list[str]:
    """Return a note on images that lie beside those of the table and are in no row.

    Args:
        root: the folder.
        names: of the images that are read.
        all_names: of all rows, those that are left out among them.
    """
    known = set(all_names)
    counts: Counter[str] = Counter()
    for folder in dict.fromkeys(posixpath.dirname(name) for name in names):
        with os.scandir(root / folder) as entries:
            for entry in entries:
                named = posixpath.join(folder, entry.name) in known
                if (
                    not named
                    and not entry.name.startswith(".")
                    and entry.is_file()
                    and is_image(root / folder / entry.name)
                ):
                    counts[folder] += 1
    if not counts:
        return []
    shown = ", ".join(f"{folder or '.'}/" for folder in list(counts)[:3])
    return [f"left out: {counts.total():,} images that no row of the table names, in {shown}"]
