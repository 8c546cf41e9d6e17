"""Files of a cache with the SHA-256 of their content and of their key.

A cache decides results: pixels are taken from it, and what a file's digest is. A file that was altered,
emptied or replaced is made again; so is a file of an older version, which has no seal.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets.partial_files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_LENGTH = 64
"""Bytes of a seal: the hexadecimal digits of a SHA-256, at the end of the file."""

_BLOCK = 2**24
"""Bytes of an array that are hashed at a time; several are at once, on as many cores."""


def write_sealed(file: Path, key: str, content: bytes) -> None:
    """Write a file, whole or not at all.

    Args:
        file: the file.
        key: what the content was made from.
        content: what is in it.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(file) as part:
        part.write_bytes(content + _seal(key, hashlib.sha256(content).digest()))


def keep_sealed(file: Path, key: str, content: bytes) -> None:
    """Write a file as `write_sealed` does, if it can be written: a cache that cannot be costs time, and no result."""
    with suppress(OSError):
        write_sealed(file, key, content)


def read_sealed(file: Path, key: str) -> bytes | None:
    """Return the content of a file; None: there is none, or it is not what was written for this key."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    content, seal = content[:-_LENGTH], content[-_LENGTH:]
    return content if seal == _seal(key, hashlib.sha256(content).digest()) else None


def write_sealed_array(file: Path, key: str, array: NDArray[Any]) -> None:
    """Write an array as `write_sealed` does, in NumPy's format: the seal stands behind it."""
    import numpy as np

    with replacing(file) as part, part.open("wb") as stream:
        np.save(stream, array)
        stream.write(_seal(key, _digest(array)))


def read_sealed_array(file: Path, key: str, shape: tuple[int, ...], dtype: type) -> NDArray[Any] | None:
    """Return an array as a read-only memory map; None: there is none, or it is not what was written for this key.

    It is read through once, about as fast as the disk is.

    Args:
        file: the file.
        key: what the content was made from.
        shape: that it must have.
        dtype: that it must have.
    """
    import numpy as np

    with suppress(OSError, ValueError, EOFError):
        found: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
        with file.open("rb") as stream:
            stream.seek(-_LENGTH, os.SEEK_END)
            seal = stream.read()
        if (found.shape, found.dtype) == (shape, np.dtype(dtype)) and seal == _seal(key, _digest(found)):
            return found
    return None


def _seal(key: str, digest: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + digest).hexdigest().encode()


def _digest(array: NDArray[Any]) -> bytes:
    """Return the SHA-256 over the digests of an array's blocks."""
    import numpy as np

    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    blocks = (flat[start : start + _BLOCK] for start in range(0, len(flat), _BLOCK))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return hashlib.sha256(b"".join(pool.map(lambda block: hashlib.sha256(block).digest(), blocks))).digest()
