"""Which column of a table has the paths of the images, and from which folder they start."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from medssl_bench.datasets.file_kinds import DICOM_SUFFIXES, SUFFIXES
from medssl_bench.datasets.folder.names import is_companion, is_passed_over
from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from medssl_bench.datasets.table.reading import Table

_LOOKED_AT = 100
"""Rows that are looked at, spread over the table."""

_MOST_FOLDERS = 50
"""Folders beside the table in which images are looked for."""

_ENOUGH = 0.5
"""Share of the paths at which there is a file, from which a column is one of paths: files may be missing."""


@dataclass(frozen=True)
class ImageColumn:
    """Where the images are.

    Attributes:
        name: of the column.
        root: folder that its paths start from.
        ending: what the files' names have more than the column says.
    """

    name: str
    root: Path
    ending: str = ""


def find_image_column(table: Table, asked: str | None, root: Path | None) -> tuple[ImageColumn, list[str]]:
    """Return the column of the images, and what to say of it.

    Args:
        table: all its rows.
        asked: the column that the user names, or None.
        root: the folder that the user names, or None.

    Raises:
        UserError: no column has paths of images, or several have.
    """
    if asked is not None and asked not in table.columns:
        raise UserError(f"{table.path}: has no column {asked!r} (--image); it has {', '.join(table.columns)}")
    names = [asked] if asked is not None else list(table.columns)
    found = [place for name in names if (place := _place(table, name, root)) is not None]
    found = [place for place in found if not place.ending] or found  # numbers of rows may be names of files too
    images = [place for place in found if not _is_of_masks(place.name)] or found
    if not images:
        images = [ImageColumn(name, root or table.path.parent) for name in names if _has_endings(table, name)]
    if len(images) > 1:
        raise UserError(
            f"{table.path}: columns {', '.join(repr(place.name) for place in images)} all have paths of images; say "
            f"--image COLUMN"
        )
    if not images and asked is not None:  # the data set says what is missing
        return ImageColumn(asked, root or table.path.parent), [f"images: column {asked!r}"]
    if not images:
        where = f"below {root or table.path.parent}" if root else f"beside {table.path.name} or in a folder there"
        raise UserError(
            f"{table.path}: no column has paths of images that are {where}; say --image COLUMN, and --root FOLDER if "
            f"they are elsewhere; it has {', '.join(map(repr, list(table.columns)[:12]))}"
        )
    (place,) = images
    ending = f" and {place.ending!r}" if place.ending else ""
    return place, [f"images: column {place.name!r}{ending}, from {place.root}"]


def _place(table: Table, name: str, asked: Path | None) -> ImageColumn | None:
    """Return from where the texts of a column are paths, if they are."""
    texts = _some([text for text in table.columns[name] if text])
    if not texts or len(set(texts)) * 2 < len(texts):
        return None
    if all(PurePosixPath(text).is_absolute() for text in texts):
        every = [text for text in table.columns[name] if text.startswith("/")]
        roots = [Path(os.path.commonpath([os.path.dirname(text) for text in every]))]  # noqa: PTH120 - of text
    else:
        roots = [asked] if asked is not None else list(_roots(table.path.parent))
    named = _has_endings(table, name)
    best: tuple[float, ImageColumn] | None = None
    for root in roots:
        for ending in [""] if named else ["", *sorted(SUFFIXES | {".dcm"})]:
            share = sum((root / f"{_path(text)}{ending}").is_file() for text in texts) / len(texts)
            if share >= _ENOUGH and (best is None or share > best[0]):
                best = share, ImageColumn(name, root, ending)
    return best[1] if best else None


def _roots(folder: Path) -> Iterator[Path]:
    yield folder
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return
    yield from (folder / name for name in [name for name in names if not is_passed_over(name)][:_MOST_FOLDERS])


def _has_endings(table: Table, name: str) -> bool:
    """Return whether nearly all texts of a column end as images do."""
    texts = _some([text for text in table.columns[name] if text])
    ends = [PurePosixPath(_path(text)).suffix.lower() in SUFFIXES | DICOM_SUFFIXES for text in texts]
    return bool(ends) and sum(ends) >= 0.9 * len(ends)


def _is_of_masks(name: str) -> bool:
    words = name.casefold().replace("-", "_").split("_")
    return any(is_companion(word) or word in {"seg", "overlay"} for word in words)


def _path(text: str) -> str:
    return text.replace("\\", "/")


def _some(texts: Sequence[str]) -> Sequence[str]:
    step = max(1, len(texts) // _LOOKED_AT)
    return texts[::step][:_LOOKED_AT]
