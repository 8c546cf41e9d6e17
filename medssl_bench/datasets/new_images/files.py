"""New image files, read a few at a time."""

from __future__ import annotations

import os
import warnings
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.decode import IN_COLOUR, Decoded
from medssl_bench.datasets.file_kinds import KINDS, is_image, wrong_with_dicom
from medssl_bench.datasets.folder.image_cache import all_in_file, try_decode
from medssl_bench.datasets.folder.listing import unreadable_files, without_labels
from medssl_bench.datasets.pixel_range import Levels, notes_on_levels
from medssl_bench.datasets.value_range import RangeNeeded
from medssl_bench.errors import DataError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from medssl_bench.datasets.new_images.kind import HowToRead, ImageKind

_NAMED = 3
"""How many files a message names that cannot be used."""


class NewFiles:
    """Image files.

    Args:
        names: of the images, as people gave them.
        places: where the files are, in the same order.
        kind: what the model takes.
        reading: how files are read.
        cache_dir: where a list is put of all files that cannot be used, if they are many.

    Raises:
        DataError: some are no images by their endings, or are DICOM and cannot be read as such.

    Attributes:
        notes: what people should know of the images, a line each; once all have been read.
    """

    def __init__(
        self, names: Sequence[str], places: Sequence[Path], kind: ImageKind, reading: HowToRead, cache_dir: Path
    ) -> None:
        self.names = names
        self.notes: list[str] = []
        self._places, self._kind, self._reading, self._cache_dir = list(map(str, places)), kind, reading, cache_dir
        if odd := [name for name, place in zip(names, places, strict=True) if place.is_file() and not is_image(place)]:
            kinds = f"{KINDS} (or, given by themselves, a table, .npy or .npz)"
            raise DataError(
                f"{len(odd):,} of {len(names):,} files are no images that are read ({odd[0]}, say): {kinds}"
            )
        if wrong := wrong_with_dicom(names, mixed=reading.choices.range is not None):
            raise DataError(wrong)

    def __len__(self) -> int:
        return len(self.names)

    def parts(self, count: int) -> Iterator[NDArray[np.uint8]]:
        """Yield all images in order, `count` at a time: (n, size, size) or (n, size, size, 3) uint8.

        After the first that cannot be used no more are given, but all are looked at, so that the error counts them.

        Raises:
            DataError: some cannot be used; they are counted, and the first are named.
        """
        unreadable = unreadable_files(without_labels(Path(), self._places))
        read = partial(
            try_decode,
            root=Path(),
            unreadable=unreadable,
            size=self._kind.size,
            channels=self._kind.channels,
            strict=self._reading.strict,
            choices=self._reading.choices,
        )
        problems: dict[int, str] = {}
        levels = Levels.none(len(self))
        profiles = 0
        with (
            warnings.catch_warnings(action="ignore"),  # of corrupt tags, say
            ThreadPoolExecutor(os.cpu_count()) as pool,  # Pillow decodes without the interpreter's lock
        ):
            ahead = deque(pool.submit(read, place) for place in self._places[: 2 * count])
            for start in range(0, len(self), count):
                images = []
                for index in range(start, min(start + count, len(self))):
                    found = ahead.popleft().result()
                    if index + 2 * count < len(self):
                        ahead.append(pool.submit(read, self._places[index + 2 * count]))
                    if wrong := self._wrong_with(found):
                        own = Path(self._places[index]).name  # without it, files are wrong in the same way
                        problems[index] = wrong.replace(f" {own!r}", "")
                    elif isinstance(found, Decoded):
                        images.append(found.pixels)
                        levels.low[index], levels.high[index], levels.limit[index] = found.low, found.high, found.limit
                        profiles += found.profile
                if not problems:
                    yield np.stack(images)
        self._refuse(problems)
        if wrong := self._wrong_levels(levels):
            raise DataError(wrong)
        self.notes += notes_on_levels(levels, self.names)
        if profiles:
            have = "image has" if profiles == 1 else "images have"
            self.notes.append(f"{profiles:,} {have} a colour profile other than sRGB, which is not applied")

    def _wrong_with(self, found: Decoded | str | RangeNeeded) -> str:
        """Return why an image cannot be used, or an empty string."""
        if isinstance(found, RangeNeeded):
            text = f"it has {found.what}, and which values are black and white is not known"
            return f"{text}{self._instead()}"
        if isinstance(found, str):
            return "it is in colour, and the model takes grey images" if found == IN_COLOUR else found
        size, (width, height) = self._kind.size, found.shape
        if not self._reading.resizes and (width, height) != (size, size):
            what = f"it has {width} x {height} pixels, and the model was trained on images of {size} x {size} as they"
            return f"{what} are; say --fit crop, --fit pad or --fit stretch"
        bits = self._reading.bits
        if bits is not None and found.bits not in bits:
            chosen = self._reading.choices.range is not None  # then there are only 8 bits and more
            own = "more than 8 bits" if chosen and found.bits > 8 else f"{found.bits} bits"
            trained = "more than 8" if chosen and bits == (16,) else " and ".join(map(str, bits))
            return f"it has {own} a value, and the model was trained on images of {trained}{self._instead()}"
        return ""

    def _instead(self) -> str:
        """Return what to do about values of another range."""
        if self._kind.files is None and self._reading.choices.range is None:
            return "; say --range LOW,HIGH (all alike) or --range percentile (each by its own values)"
        return "; convert it as the training images were"

    def _wrong_levels(self, levels: Levels) -> str:
        """Return why the images, all together, would be black or without contrast, or an empty string."""
        varied, chosen = levels.low < levels.high, self._reading.choices.range
        if chosen is None:
            deep = varied & (levels.limit > 255)
            narrow = deep & (16 * (levels.high - levels.low) <= levels.limit)
            if 2 * narrow.sum() > deep.sum():
                first = self.names[int(np.flatnonzero(narrow)[0])]
                return (
                    f"{int(narrow.sum()):,} of {len(self):,} images ({first}, say) use a sixteenth of the range of "
                    f"their files or less, so they would be nearly black; convert them as the training images were"
                )
        elif chosen != "full" and not varied.any():
            said = chosen if isinstance(chosen, str) else list(chosen)
            return f"with range = {said}, all {len(self):,} images would be of one value in all pixels"
        return ""

    def _refuse(self, problems: dict[int, str]) -> None:
        """Raise one error for all files that cannot be used.

        Raises:
            DataError: there are some.
        """
        if not problems:
            return
        told = [(self.names[place], reason) for place, reason in problems.items()]
        head = f"{len(told):,} of {len(self):,} images cannot be used"
        many = len(told) > _NAMED
        lines = [f"{printable(name)}\t{printable(reason)}" for name, reason in told]
        where = all_in_file("predict", self._cache_dir, lines) if many else ""
        if len({reason for _, reason in told}) == 1 and len(told) > 1:
            raise DataError(f"{head} ({told[0][0]}, say): {told[0][1]}{where}")
        named = ", ".join(f"{name} ({reason})" for name, reason in told[:_NAMED])
        more = f" and {len(told) - _NAMED:,} more{where}" if many else ""
        raise DataError(f"{head}: {named}{more}; repair them, or go without them")
