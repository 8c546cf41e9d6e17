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
from medssl_bench.datasets.file_kinds import wrong_with_dicom
from medssl_bench.datasets.folder.listing import unreadable_files
from medssl_bench.datasets.memory import require_memory
from medssl_bench.datasets.partial_files import replacing
from medssl_bench.datasets.pixel_choices import Choices, proposed
from medssl_bench.datasets.pixel_range import Levels, notes_on_levels, wrong_with_chosen, wrong_with_levels
from medssl_bench.datasets.progress import progress_bar
from medssl_bench.datasets.sealed import read_sealed, read_sealed_array, write_sealed, write_sealed_array
from medssl_bench.datasets.value_range import RangeNeeded
from medssl_bench.errors import DataError, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.folder.files import Files

_NAMED = 3
"""How many unreadable files a message names; all are in a file beside the cache."""


@dataclass(frozen=True)
class ReadImages:
    """The images of a listing, and what people should know of them.

    Attributes:
        images: (N, size, size) or (N, size, size, 3), in the listing's order; from the cache it is a read-only memory
            map.
        notes: a line each.
        bits: how many bits a value the files have, as of `FileReading`.
    """

    images: NDArray[np.uint8]
    notes: tuple[str, ...]
    bits: tuple[int, ...]


def read_images(
    listing: Files,
    fingerprint: str,
    cache_dir: Path,
    *,
    size: int,
    channels: int,
    strict: bool,
    unreadable: Mapping[str, str],
    choices: Choices | None = None,
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
        choices: what the suite says of range, fit and frame; None: nothing.

    Raises:
        DataError: files cannot be read, use little of their range, or the array does not fit into memory.
    """
    choices = choices or Choices()
    shape = (len(listing.names), size, size) + ((3,) if channels == 3 else ())
    key = hashlib.sha256(
        json.dumps([fingerprint, shape, strict, decode.REVISION, *choices.changed()]).encode()
    ).hexdigest()
    kept = cache_dir / "folders" / f"{key}.npy"
    told = kept.with_suffix(".json")
    require_memory(int(np.prod(shape)), f"{listing.root}: {shape[0]:,} images of {size} pixels")
    if not unreadable:
        kept_images, kept_notes = read_sealed_array(kept, key, shape, np.uint8), read_sealed(told, key)
        found = json.loads(kept_notes) if kept_images is not None and kept_notes is not None else None
        if kept_images is not None and isinstance(found, dict):  # an older version kept the notes alone
            return ReadImages(kept_images, tuple(map(str, found["notes"])), tuple(map(int, found["bits"])))
    if wrong := wrong_with_dicom(listing.names, mixed=choices.range is not None):
        raise DataError(f"{listing.root}: {wrong}")
    images = np.empty(shape, np.uint8)
    notes, bits = _decode_into(images, listing, cache_dir, choices, strict=strict, unreadable=unreadable)
    with suppress(OSError):  # without a cache, only slower
        write_sealed_array(kept, key, images)
        write_sealed(told, key, json.dumps({"notes": notes, "bits": bits}).encode())
    return ReadImages(images, tuple(notes), tuple(bits))


def contents_sha256(listing: Files, unreadable: Mapping[str, str], cache_dir: Path) -> str:
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
    images: NDArray[np.uint8],
    listing: Files,
    cache_dir: Path,
    choices: Choices,
    *,
    strict: bool,
    unreadable: Mapping[str, str],
) -> tuple[list[str], list[int]]:
    """Decode all images; return what people should know of them, and how many bits the files have."""
    _, size, *_ = images.shape
    read = partial(
        try_decode,
        root=listing.root,
        unreadable=unreadable,
        size=size,
        channels=images.shape[3] if images.ndim == 4 else 1,
        strict=strict,
        choices=choices,
    )
    problems: dict[str, str | RangeNeeded] = {}
    levels = Levels.none(len(listing.names))
    profiles = windows = deep = 0
    bits: set[int] = set()
    with (
        # corrupt tags, say; the threads are inside, as these filters are the process's
        warnings.catch_warnings(action="ignore"),
        progress_bar(f"reading {len(listing.names):,} images of {listing.root.name}", "images") as report,
        ThreadPoolExecutor(os.cpu_count()) as pool,  # Pillow decodes and resizes without the interpreter's lock
    ):
        for index, result in enumerate(pool.map(read, listing.names)):
            if isinstance(result, str | RangeNeeded):
                problems[listing.names[index]] = result
            else:
                images[index] = result.pixels
                levels.low[index], levels.high[index], levels.limit[index] = result.low, result.high, result.limit
                profiles += result.profile
                windows += result.window
                deep += result.deep
                bits.add(result.bits)
            report(index + 1, len(listing.names))
    _refuse(problems, listing, cache_dir)
    if isinstance(choices.range, tuple) and 0 < deep < len(listing.names):
        both = f"{deep:,} of {len(listing.names):,} images have more than 8 bits and the others have not"
        one = (
            'one range cannot be right for both; say range = "percentile" (each by its own values), or convert one kind'
        )
        raise DataError(f"{listing.root}: {both}: {one}")
    if wrong := _wrong_range(levels, listing, choices, windows=windows == len(listing.names)):
        raise DataError(f"{listing.root}: {wrong}")
    notes = notes_on_levels(levels, listing.names)
    if profiles:
        have = "image has" if profiles == 1 else "images have"
        notes.append(f"{profiles:,} {have} a colour profile other than sRGB, which is not applied")
    return notes, sorted(bits)


def _refuse(problems: Mapping[str, str | RangeNeeded], listing: Files, cache_dir: Path) -> None:
    """Raise one error for all files that cannot be used; for those that need a range, if no others are wrong.

    Raises:
        DataError: there are some.
    """
    if not problems:
        return
    needing = [problem for problem in problems.values() if isinstance(problem, RangeNeeded)]
    if len(needing) < len(problems):
        raise DataError(told_together(listing, {name: str(problem) for name, problem in problems.items()}, cache_dir))
    low, high = min(problem.low for problem in needing), max(problem.high for problem in needing)
    advice = proposed(low, high, windows=all(problem.window for problem in needing))
    if len(needing) < len(listing.names):
        advice = 'say range = "percentile" (each by its own values) to read them and the others, or go without them'
    raise DataError(
        f"{listing.root}: {len(needing):,} of {len(listing.names):,} images ({next(iter(problems))}, say) have "
        f"{needing[0].what}: values go from {low:g} to {high:g}, and which are black and white is not known; {advice}"
    )


def _wrong_range(levels: Levels, listing: Files, choices: Choices, *, windows: bool) -> str:
    """Return why images would be black or without contrast, or an empty string."""
    if choices.range == "full":  # a suite that says so means it
        return ""
    if choices.range is not None and (wrong := wrong_with_chosen(levels)):
        said = choices.range if isinstance(choices.range, str) else list(choices.range)
        return f"with range = {json.dumps(said)}: {wrong}"
    return wrong_with_levels(levels, listing.names, np.array(listing.labels), listing.classes, windows=windows)


def told_together(listing: Files, problems: Mapping[str, str], cache_dir: Path) -> str:
    """Return one line on all files that cannot be used; where it cannot name all, a file does.

    Args:
        listing: what the files are of.
        problems: the reason by name of the file.
        cache_dir: where the file that names all is put.
    """
    number = f"{listing.root}: {len(problems):,} of {len(listing.names):,} images"
    texts = [f"{printable(name)}\t{printable(reason)}" for name, reason in problems.items()]
    all_told = all_in_file(listing.root.name, cache_dir, texts) if len(problems) > _NAMED else ""
    if all_told and len(set(problems.values())) == 1:
        name, reason = next(iter(problems.items()))
        return f"{number} cannot be used ({name}, say): {reason}{all_told}"
    shown = ", ".join(f"{name} ({reason})" for name, reason in list(problems.items())[:_NAMED])
    more = f" and {len(problems) - _NAMED:,} more{all_told}" if len(problems) > _NAMED else ""
    return f"{number} cannot be used: {shown}{more}; repair or remove them"


def all_in_file(what: str, cache_dir: Path, lines: Sequence[str]) -> str:
    """Write lines into a file of the cache; return a text that says where, empty if that cannot be.

    Args:
        what: begins the file's name.
        cache_dir: the cache.
        lines: a name each, and what is said of it, printable.
    """
    key = hashlib.sha256("\0".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    place = cache_dir / "unreadable" / f"{what}-{key}.txt"
    with suppress(OSError), replacing(place) as part:  # a list that cannot be written is left out
        part.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return f" (all in {place})" if place.is_file() else ""


def try_decode(
    name: str, *, root: Path, unreadable: Mapping[str, str], size: int, channels: int, strict: bool, choices: Choices
) -> decode.Decoded | str | RangeNeeded:
    """Return the image, or why it cannot be read; arguments as of `read_images` and `decode`."""
    path = root / name
    if wrong := unreadable.get(name):
        return wrong
    try:
        return decode.decode(path, size, channels, strict=strict, choices=choices)
    except RangeNeeded as error:
        return error
    except OSError as error:
        if error.strerror:
            return f"cannot be read: {error.strerror}"
        return _line(error, path)
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything on a broken file
        return _line(error, path)


def _line(error: Exception, path: Path) -> str:
    return str(error).partition("\n")[0].replace(str(path), path.name) or type(error).__name__
