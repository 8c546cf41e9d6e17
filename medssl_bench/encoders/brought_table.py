"""Features in a Parquet file, a row for each image, as the arrays that an npz file would have."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.npz.members import Header
from medssl_bench.encoders.row_names import says_which
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from pyarrow import Table

_NUMBERED = re.compile(r"feature_?(\d+)")


class TableMembers:
    """A Parquet file of features, read as `medssl_bench.datasets.npz.members.NpzMembers` reads an npz file.

    Its columns are ``split``, with ``train``, ``val`` and ``test``; ``features``, a list of numbers, or ``feature_0``,
    ``feature_1`` and so on; and where there are some, ``name`` and ``label``, a whole number or a list of these.

    Args:
        path: the file.

    Raises:
        DataError: it is no Parquet file, pyarrow is not installed, or columns are missing or are no numbers.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._arrays = self._read(_table(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: the file was read at once."""

    def keys(self) -> set[str]:
        """Return the names of the arrays."""
        return set(self._arrays)

    def header(self, key: str) -> Header:
        """Return the shape and type of an array."""
        return Header(self._arrays[key].shape, self._arrays[key].dtype)

    def read(self, key: str) -> NDArray[Any]:
        """Return an array."""
        return self._arrays[key]

    def _read(self, table: Table) -> dict[str, NDArray[Any]]:
        names = table.column_names
        if "split" not in names:
            raise DataError(f"{self._path}: has no column split, which says train, val or test of each row")
        split = np.array(table["split"].to_pylist(), dtype=object)
        if unknown := sorted({str(value) for value in split} - set(SPLITS)):
            raise DataError(f"{self._path}: column split has {unknown[0]!r}; there are: {', '.join(SPLITS)}")
        if unread := [name for name in names if "name" not in names and says_which(name)]:
            raise DataError(
                f"{self._path}: column {unread[0]} is not read; call it name if it has the names of the files that "
                f"rows are of, or leave it out if rows stand in the order of the data set"
            )
        columns = {"features": self._features(table)}
        if "name" in names:
            columns["names"] = np.array([str(value) for value in table["name"].to_pylist()])
        if "label" in names:
            columns["labels"] = self._rows_of(table, ["label"], "; write the number of each class, from 0")
        return {f"{part}_{what}": values[split == part] for what, values in columns.items() for part in SPLITS}

    def _features(self, table: Table) -> NDArray[Any]:
        numbered: dict[int, str] = {}
        for name in table.column_names:
            if (found := _NUMBERED.fullmatch(name)) and numbered.setdefault(int(found[1]), name) != name:
                twice = f"{numbered[int(found[1])]} and {name}"
                raise DataError(f"{self._path}: has columns {twice}, which are the same feature; leave one out")
        if "features" in table.column_names:
            if numbered:
                both = f"features and {numbered[min(numbered)]}"
                raise DataError(f"{self._path}: has columns {both}; leave out those that are not meant")
            return self._rows_of(table, ["features"])
        if not numbered:
            there = ", ".join(table.column_names) or "nothing"
            raise DataError(f"{self._path}: has no column features, and no feature_0, feature_1, ...; it has {there}")
        numbers = sorted(numbered)
        for number, following in pairwise(numbers):
            if following != number + 1:
                raise DataError(f"{self._path}: has no column of feature {number + 1}, and later ones")
        return self._rows_of(table, [numbered[number] for number in numbers])

    def _rows_of(self, table: Table, columns: list[str], hint: str = "") -> NDArray[Any]:
        """Return columns of numbers, or one of lists of numbers, as (N, D)."""
        found = [_flat(table[name].combine_chunks()) for name in columns]
        for name, values in zip(columns, found, strict=True):
            if values.dtype.kind not in "fiu" or not len(table) or len(values) % len(table):
                raise DataError(
                    f"{self._path}: column {name} is not of numbers, or of lists of one length, in each row{hint}"
                )
        return np.stack(found, 1) if len(found) > 1 else found[0].reshape(len(table), -1)


def _flat(column: Any) -> NDArray[Any]:
    """Return the numbers of a column one after the other; no numbers where its lists have several lengths."""
    if hasattr(column, "flatten") and hasattr(column.type, "value_type"):
        lengths = np.diff(column.offsets.to_numpy()) if hasattr(column, "offsets") else np.zeros(1)
        if column.null_count or len(set(lengths.tolist())) > 1:
            return np.array([""])
        column = column.flatten()
    found: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return found


def _table(path: Path) -> Table:
    try:
        from pyarrow import parquet
    except ImportError:
        raise DataError(f'{path}: Parquet is read with pyarrow: pip install "medssl-bench[parquet]"') from None
    try:
        return parquet.read_table(path)
    except Exception as error:  # pyarrow has errors of many kinds
        raise DataError(f"{path}: not a Parquet file, or a damaged one ({str(error).splitlines()[0][:120]})") from error
