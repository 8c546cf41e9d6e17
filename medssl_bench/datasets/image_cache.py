"""The decoded images of a folder, made once and kept as an array on disk."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets import decode
from medssl_bench.datasets.memory import require_memory
from medssl_bench.datasets.progress import progress_bar
from medssl_bench.datasets.sealed import read_sealed_array, write_sealed_array
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.folder_listing import Listing

_NAMED = 3
"""How many unreadable files a message names."""


def read_images(
    listing: Listing, fingerprint: str, cache_dir: Path, *, size: int, channels: int, strict: bool
) -> NDArray[np.uint8]:
    """Return all images of a listing, from the cache where they have been decoded before.

    Args:
        listing: the images.
        fingerprint: of their names and contents.
        cache_dir: where arrays are kept; of whatever split the images are in, one array serves.
        size: side in pixels.
        channels: 1 (grey) or 3 (RGB).
        strict: refuse to make colour images grey.

    Returns:
        (N, size, size) or (N, size, size, 3), in the listing's order; from the cache it is a read-only memory map.

    Raises:
        DataError: files cannot be read, or the array does not fit into memory.
    """
    shape = (len(listing.names), size, size) + ((3,) if channels == 3 else ())
    key = hashlib.sha256(json.dumps([fingerprint, shape, strict, decode.REVISION]).encode()).hexdigest()
    kept = cache_dir / "folders" / f"{key}.npy"
    require_memory(int(np.prod(shape)), f"{listing.root}: {shape[0]:,} images of {size} pixels")
    kept_images = read_sealed_array(kept, key, shape, np.uint8)
    if kept_images is not None:
        return kept_images
    images = np.empty(shape, np.uint8)
    _decode_into(images, listing, strict=strict)
    with suppress(OSError):  # without a cache, only slower
        write_sealed_array(kept, key, images)
    return images


def _decode_into(images: NDArray[np.uint8], listing: Listing, *, strict: bool) -> None:
    _, size, *_ = images.shape
    read = partial(_try_decode, size=size, channels=images.shape[3] if images.ndim == 4 else 1, strict=strict)
    files = [listing.root / name for name in listing.names]
    problems = []
    with (
        # corrupt tags, say; the threads are inside, as these filters are the process's
        warnings.catch_warnings(action="ignore"),
        progress_bar(f"reading {len(files):,} images of {listing.root.name}", "images") as report,
        ThreadPoolExecutor(os.cpu_count()) as pool,  # Pillow decodes and resizes without the interpreter's lock
    ):
        for index, result in enumerate(pool.map(read, files)):
            if isinstance(result, str):
                problems.append(f"{listing.names[index]} ({result})")
            else:
                images[index] = result
            report(index + 1, len(files))
    if problems:
        rest = f" and {len(problems) - _NAMED} more" if len(problems) > _NAMED else ""
        raise DataError(
            f"{listing.root}: {len(problems)} of {len(files)} images cannot be used: "
            f"{', '.join(problems[:_NAMED])}{rest}; repair or remove them"
        )


def _try_decode(path: Path, *, size: int, channels: int, strict: bool) -> NDArray[np.uint8] | str:
    """Return the image, or why it cannot be read."""
    try:
        return decode.decode(path, size, channels, strict=strict)
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything on a broken file
        return str(error).partition("\n")[0].replace(str(path), path.name) or type(error).__name__
