"""Arrays and histories that stages leave, read as those of a stranger: bounded, and without code."""

from __future__ import annotations

import json
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import StoreError
from medssl_bench.store.reading import open_plain, read_text

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_RATIO = 50
_ALWAYS = 2**28
"""The arrays of a file may have `_RATIO` times its bytes, and in any case these."""

_LONGEST_HISTORY = 2**26


def load_npz(file: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of an ``npz`` file.

    Raises:
        StoreError: it cannot be read, or grows beyond what its size lets one expect.
    """
    import numpy as np

    try:
        with open_plain(file) as stream, zipfile.ZipFile(stream) as packed:
            size = sum(member.file_size for member in packed.infolist())
            if size > max(_ALWAYS, _RATIO * stream.seek(0, 2)):
                raise StoreError(f"{file}: it grows to {size:,} bytes, which no result does")
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, MemoryError) as error:
        raise StoreError(f"{file}: these arrays cannot be read ({' '.join(str(error).split())})") from error


def names_in_npz(file: Path) -> set[str]:
    """Return the names of the arrays of an ``npz`` file, without reading them.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        with open_plain(file) as stream, zipfile.ZipFile(stream) as packed:
            return {name.removesuffix(".npy") for name in packed.namelist()}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        raise StoreError(f"{file}: these arrays cannot be read ({' '.join(str(error).split())})") from error


def load_history(file: Path) -> list[dict[str, Any]]:
    """Read the rows of a ``history.json``; there are none where there is no file.

    Raises:
        StoreError: it is not what a stage leaves.
    """
    try:
        rows = json.loads(read_text(file, _LONGEST_HISTORY))  # what was measured may be no number
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise StoreError(f"{file}: this is no history of epochs")
    except FileNotFoundError:
        return []
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{file}: this history cannot be read ({error})") from error
    return rows
