"""The arrays inside an npz file: shapes from their headers alone, contents without pickles."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import shorten
from typing import IO, TYPE_CHECKING, Any, Self

import numpy as np
from numpy.lib import format as npy

from medssl_bench.datasets.memory import require_memory
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


_LONGEST_HEADER = 10_000
"""Bytes of an array's header, as NumPy has it; but NumPy reads a longer one into memory before it refuses it."""


_PIECE = 1 << 20


@dataclass(frozen=True)
class Header:
    """What the header of an array says: its shape and the type of its elements."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class NpzMembers:
    """An npz file, open for reading; a context manager.

    Args:
        path: the file.

    Raises:
        DataError: it cannot be opened, is not an npz file, or holds an array twice.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _told(f"{path}: not an npz file, or a damaged one"):
            self._zip = zipfile.ZipFile(path)
        twice = [name for name, count in Counter(self._zip.namelist()).items() if count > 1]
        if twice:
            self._zip.close()
            raise DataError(f"{path}: holds {twice[0]!r} twice; write the file again with each name once")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def keys(self) -> set[str]:
        """Return the names of the arrays."""
        return {name.removesuffix(".npy") for name in self._zip.namelist() if name.endswith(".npy")}

    def header(self, key: str) -> Header:
        """Return the shape and type of an array without reading its elements.

        Raises:
            DataError: the entry is damaged, or holds Python objects.
        """
        with self._entry(key) as entry:
            return self._header(key, entry)

    def read(self, key: str, *, spare: int = 0) -> NDArray[Any]:
        """Read an array.

        Args:
            key: its name.
            spare: bytes of memory for each element that must be free beside it.

        Raises:
            DataError: the entry is damaged, holds Python objects, or does not fit into memory.
        """
        with self._entry(key) as entry:
            header = self._header(key, entry)
            require_memory(math.prod(header.shape) * (header.dtype.itemsize + spare), f"{self._path}: {key}")
        with self._entry(key) as entry:
            array: NDArray[Any] = npy.read_array(entry, allow_pickle=False)
            return array

    def extremes(self, key: str) -> tuple[float, float] | None:
        """Read through an array of numbers and return the smallest and the largest, or None if it has none.

        Raises:
            DataError: the entry is damaged.
        """
        with self._entry(key) as entry:
            dtype = self._header(key, entry).dtype
            if dtype.kind not in "buif":
                return None
            found = []
            while piece := entry.read(_PIECE // dtype.itemsize * dtype.itemsize):
                values = np.frombuffer(piece, dtype)
                if (values := values[np.isfinite(values)]).size:
                    found += [values.min().item(), values.max().item()]
        return (min(found), max(found)) if found else None

    @contextmanager
    def _entry(self, key: str) -> Iterator[IO[bytes]]:
        with _told(f"{self._path}: {key}: damaged"), self._zip.open(f"{key}.npy") as entry:
            yield entry

    def _header(self, key: str, entry: IO[bytes]) -> Header:
        shape, dtype = _shape_and_type(entry)
        if dtype.hasobject:
            raise DataError(f"{self._path}: {key}: holds Python objects, which are not read as they can run code")
        if min(shape, default=0) < 0:
            raise ValueError("its header declares a negative length")
        declared = entry.tell() + math.prod(shape) * dtype.itemsize
        held = self._zip.getinfo(f"{key}.npy").file_size
        if declared != held:
            raise DataError(f"{self._path}: {key}: damaged: its header declares {declared:,} bytes, it holds {held:,}")
        return Header(shape, dtype)


def _shape_and_type(entry: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = npy.read_magic(entry)
    if version not in {(1, 0), (2, 0), (3, 0)}:
        raise ValueError(f"version {version[0]}.{version[1]} of the npy format is not known")
    prefix = entry.read(2 if version == (1, 0) else 4)
    length = int.from_bytes(prefix, "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"its header declares {length:,} bytes for itself")
    header = io.BytesIO(prefix + entry.read(length))
    with warnings.catch_warnings(action="ignore"):  # that a header of Python 2 takes longer to read
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(header)
    return shape, dtype


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Turn whatever a damaged file makes zipfile and NumPy raise into one line."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = shorten(reason.partition("\n")[0], 200, placeholder=" ...") or type(error).__name__
        raise DataError(f"{what} ({reason})") from error
