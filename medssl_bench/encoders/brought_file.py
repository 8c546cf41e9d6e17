"""A file of features that another program computed: what must be in it. Importing this module imports no NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.row_names import says_which
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.npz.members import Header, NpzMembers
    from medssl_bench.encoders.brought_table import TableMembers
    from medssl_bench.plugin.component import Component


def is_brought(encoder: Component) -> bool:
    """Return whether an encoder is a file of features, which nothing can train."""
    return (encoder.plugin, encoder.name) == ("encoders", "features")


def require_features(path: Path) -> None:
    """Check, by the headers alone, that a file has the features of three splits.

    Raises:
        ValueError: it has not.
        OSError: it cannot be read.
    """
    try:
        length_of_features(path)
    except DataError as error:
        raise ValueError(str(error).removeprefix(f"{path}: ")) from error


def length_of_features(path: Path) -> int:
    """Return how many features an image has.

    Raises:
        DataError: there are none of a split, or they are no table of numbers, or not of one length.
    """
    from medssl_bench.datasets.base import SPLITS

    with _opened(path) as members:
        known = members.keys()
        lengths = {}
        for split in SPLITS:
            key = f"{split}_features"
            if key not in known:
                there = ", ".join(sorted(known)) or "nothing"
                wanted = ", ".join(f"{name}_features" for name in SPLITS)
                raise DataError(f"{path}: has no {key}; a file of features has {wanted}, this one has {there}")
            lengths[key] = _length(path, key, members.header(key))
            _require_read(path, split, known)
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{length} of {key}" for key, length in lengths.items())
        raise DataError(f"{path}: images have features of different lengths: {found}")
    return next(iter(lengths.values()))


def _require_read(path: Path, split: SplitName, known: set[str]) -> None:
    """Refuse an array that says in which order rows stand, and would not be read."""
    start = f"{split}_"
    if f"{start}names" in known:
        return
    unread = [key for key in sorted(known) if key.startswith(start) and says_which(key.removeprefix(start))]
    if unread:
        raise DataError(
            f"{path}: {unread[0]} is not read; call it {start}names if it has the names of the files that rows are of, "
            f"or leave it out if rows stand in the order of the data set"
        )


def require_rows(path: Path, counts: Mapping[SplitName, int], dataset: str) -> None:
    """Check, by the headers alone, that a file has a row for each image; rows with names may be more.

    Args:
        path: the file.
        counts: number of images of each split.
        dataset: what the data set is called, for the message.

    Raises:
        DataError: it has not.
    """
    with _opened(path) as members:
        known = members.keys()
        for split, count in counts.items():
            rows = members.header(f"{split}_features").shape[0]
            if rows < count or (rows > count and f"{split}_names" not in known):
                images = f"data set {dataset!r} has {count:,} images"
                raise DataError(f"{path}: {split}_features has {rows:,} rows; {split} of {images}")


def _opened(path: Path) -> NpzMembers | TableMembers:
    if path.suffix.lower() == ".parquet":
        from medssl_bench.encoders.brought_table import TableMembers

        return TableMembers(path)
    if _is_one_array(path):
        wanted = ", ".join(f"{split}_features=..." for split in ("train", "val", "test"))
        raise DataError(
            f"{path}: one array does not say which rows are of which split; numpy.savez(file, {wanted}) does"
        )
    from medssl_bench.datasets.npz.members import NpzMembers

    return NpzMembers(path)


def _is_one_array(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(6) == b"\x93NUMPY"
    except OSError:  # told by who reads it
        return False


def _length(path: Path, key: str, header: Header) -> int:
    if len(header.shape) != 2 or header.dtype.kind not in "fiu" or 0 in header.shape[1:]:
        raise DataError(
            f"{path}: {key} has shape {header.shape} and type {header.dtype}; (images, features) of numbers is needed"
        )
    return header.shape[1]


def read_split(path: Path, split: SplitName, labels: NDArray[Any], names: list[str] | None) -> NDArray[Any]:
    """Return the features of the images of a split, (N, D) float32, in their order.

    Rows are matched by ``{split}_names``, where the file has them; else they stand in the order of the data set.
    ``{split}_labels``, where the file has them, must be those of the data set: rows in another order would give each
    image the features of another.

    Args:
        path: the file.
        split: which split.
        labels: of its images, (N, L).
        names: of the files of its images; None: they have none.

    Raises:
        DataError: images have no row, or there are others; or labels differ.
    """
    import numpy as np

    with _opened(path) as members:
        there = members.keys()
        found = members.read(f"{split}_features")
        told = members.read(f"{split}_names").astype(str).ravel() if f"{split}_names" in there else None
        given = members.read(f"{split}_labels") if f"{split}_labels" in there else None
    for what, beside in (("names", told), ("labels", given)):
        if beside is not None and len(beside) != len(found):
            rows = f"{len(beside):,} rows, and {split}_features {len(found):,}"
            raise DataError(f"{path}: {split}_{what} has {rows}: one is needed for each")
    if told is not None:
        if names is None:
            raise DataError(f"{path}: has {split}_names, and the images of this data set have no names; leave them out")
        places = _places(path, split, told.tolist(), names)
        found, given = found[places], None if given is None else given[places]
    if len(found) != len(labels):
        raise DataError(f"{path}: {split}_features has {len(found):,} rows; the data set has {len(labels):,} images")
    if given is not None and given.dtype.kind not in "biuf":
        raise DataError(
            f"{path}: {split}_labels are no numbers: write the number of each class, from 0, or leave it out"
        )
    if given is not None and not np.array_equal(given.ravel(), labels.ravel()):
        raise DataError(
            f"{path}: {split}_labels are not those of the data set, so rows may stand in another order; write them in "
            f"the data set's order, or add {split}_names"
        )
    with np.errstate(over="ignore"):  # told below
        features = found.astype(np.float32)
    if not np.isfinite(features).all():
        raise DataError(f"{path}: {split}_features has values that are no finite numbers in float32")
    return features


def _places(path: Path, split: SplitName, told: list[str], names: list[str]) -> list[int]:
    """Return the row of each image."""
    rows = {name: row for row, name in enumerate(told)}
    if len(rows) < len(told):
        twice = next(name for row, name in enumerate(told) if rows[name] != row)
        raise DataError(f"{path}: {split}_names has {twice!r} twice")
    if missing := [name for name in names if name not in rows]:
        such = f"such as {missing[0]!r}; {split}_names has {told[0]!r} and so on" if told else "as there are none"
        raise DataError(f"{path}: {len(missing):,} images of {split} have no row, {such}")
    return [rows[name] for name in names]
