"""The decoded images of a folder, made once and kept as an array on disk."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets import decode
from medssl_bench.datasets.digests import folder_sha256
from medssl_bench.datasets.folder.listing import unreadable_files
from medssl_bench.datasets.memory import require_memory
from medssl_bench.datasets.partial_files import replacing
from medssl_bench.datasets.pixel_range import Levels, notes_on_levels, wrong_with_levels
from medssl_bench.datasets.progress import progress_bar
from medssl_bench.datasets.sealed import read_sealed, read_sealed_array, write_sealed, write_sealed_array
from medssl_bench.errors import DataError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.folder.listing import Listing

_NAMED = 3
"""How many unreadable files a message names; all are in a file beside the cache."""


@dataclass(frozen=True)
class ReadImages:
    """The images of a listing, and what people should know of them.

    Attributes:
        images: (N, size, size) or (N, size, size, 3), in the listing's order; from the cache it is a read-only memory
            map.
        notes: a line each.
    """

    images: NDArray[np.uint8]
    notes: tuple[str, ...]


def read_images(
    listing: Listing,
    fingerprint: str,
    cache_dir: Path,
    *,
    size: int,
    channels: int,
    strict: bool,
    unreadable: Mapping[str, str],
) -> ReadImages:
    """Return all images of a listing, from the cache where they have been decoded before.

    Args:
        listing: the images.
        fingerprint: of their names and contents.
        cache_dir: where arrays are kept; of whatever split the images are in, one array serves.
        size: side in pixels.
        channels: 1 (grey) or 3 (RGB).
        strict: refuse to make colour images grey.
        unreadable: files that are known not to be images, with the reason; listed with those that are found.

    Raises:
        DataError: files cannot be read, use little of their range, or the array does not fit into memory.
    """
    shape = (len(listing.names), size, size) + ((3,) if channels == 3 else ())
    key = hashlib.sha256(json.dumps([fingerprint, shape, strict, decode.REVISION]).encode()).hexdigest()
    kept = cache_dir / "folders" / f"{key}.npy"
    told = kept.with_suffix(".json")
    require_memory(int(np.prod(shape)), f"{listing.root}: {shape[0]:,} images of {size} pixels")
    if not unreadable:
        kept_images, kept_notes = read_sealed_array(kept, key, shape, np.uint8), read_sealed(told, key)
        if kept_images is not None and kept_notes is not None:
            return ReadImages(kept_images, tuple(map(str, json.loads(kept_notes))))
    images = np.empty(shape, np.uint8)
    notes = tuple(_decode_into(images, listing, cache_dir, strict=strict, unreadable=unreadable))
    with suppress(OSError):  # without a cache, only slower
        write_sealed_array(kept, key, images)
        write_sealed(told, key, json.dumps(notes).encode())
    return ReadImages(images, notes)


def contents_sha256(listing: Listing, unreadable: Mapping[str, str], cache_dir: Path) -> str:
    """Return the SHA-256 over the names and contents of the images.

    Args:
        listing: the images.
        unreadable: files that are known not to be images, with the reason.
        cache_dir: where digests are remembered.

    Raises:
        DataError: a file cannot be read.
    """
    wrong = unreadable
    try:
        if not wrong:
            return folder_sha256(listing.root, listing.names, cache_dir)
    except OSError:
        wrong = unreadable_files(listing, opened=True)
    raise DataError(told_together(listing, wrong, cache_dir))


def _decode_into(
    images: NDArray[np.uint8], listing: Listing, cache_dir: Path, *, strict: bool, unreadable: Mapping[str, str]
) -> list[str]:
    """Decode all images; return what people should know of them."""
    _, size, *_ = images.shape
    read = partial(
        _try_decode,
        root=listing.root,
        unreadable=unreadable,
        size=size,
        channels=images.shape[3] if images.ndim == 4 else 1,
        strict=strict,
    )
    problems: dict[str, str] = {}
    levels = Levels.none(len(listing.names))
    profiles = 0
    with (
        # corrupt tags, say; the threads are inside, as these filters are the process's
        warnings.catch_warnings(action="ignore"),
        progress_bar(f"reading {len(listing.names):,} images of {listing.root.name}", "images") as report,
        ThreadPoolExecutor(os.cpu_count()) as pool,  # Pillow decodes and resizes without the interpreter's lock
    ):
        for index, result in enumerate(pool.map(read, listing.names)):
            if isinstance(result, str):
                problems[listing.names[index]] = result
            else:
                images[index] = result.pixels
                levels.low[index], levels.high[index], levels.limit[index] = result.low, result.high, result.limit
                profiles += result.profile
            report(index + 1, len(listing.names))
    if problems:
        raise DataError(told_together(listing, problems, cache_dir))
    if wrong := wrong_with_levels(levels, listing.names, np.array(listing.labels), listing.classes):
        raise DataError(f"{listing.root}: {wrong}")
    notes = notes_on_levels(levels, listing.names)
    if profiles:
        have = "image has" if profiles == 1 else "images have"
        notes.append(f"{profiles:,} {have} a colour profile other than sRGB, which is not applied")
    return notes


def told_together(listing: Listing, problems: Mapping[str, str], cache_dir: Path) -> str:
    """Return one line on all files that cannot be used; where it cannot name all, a file does.

    Args:
        listing: what the files are of.
        problems: the reason by name of the file.
        cache_dir: where the file that names all is put.
    """
    shown = ", ".join(f"{name} ({reason})" for name, reason in list(problems.items())[:_NAMED])
    line = f"{listing.root}: {len(problems):,} of {len(listing.names):,} images cannot be used: {shown}"
    if len(problems) > _NAMED:
        key = hashlib.sha256("\0".join(problems).encode("utf-8", "surrogateescape")).hexdigest()[:8]
        place = cache_dir / "unreadable" / f"{listing.root.name}-{key}.txt"
        text = "".join(f"{printable(name)}\t{printable(reason)}\n" for name, reason in problems.items())
        line += f" and {len(problems) - _NAMED:,} more"
        with suppress(OSError):  # a list that cannot be written is left out
            with replacing(place) as part:
                part.write_text(text, "utf-8")
            line += f" (all in {place})"
    return f"{line}; repair or remove them"


def _try_decode(
    name: str, *, root: Path, unreadable: Mapping[str, str], size: int, channels: int, strict: bool
) -> decode.Decoded | str:
    """Return the image, or why it cannot be read."""
    path = root / name
    if wrong := unreadable.get(name):
        return wrong
    try:
        return decode.decode(path, size, channels, strict=strict)
    except OSError as error:
        if error.strerror:
            return f"cannot be read: {error.strerror}"
        return _line(error, path)
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything on a broken file
        return _line(error, path)


def _line(error: Exception, path: Path) -> str:
    return str(error).partition("\n")[0].replace(str(path), path.name) or type(error).__name__
