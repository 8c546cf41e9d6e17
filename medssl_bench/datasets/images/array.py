"""Images without labels in a .npy file, or in one array of a .npz file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.datasets.digests import remembered_of
from medssl_bench.datasets.npz.members import NpzMembers
from medssl_bench.datasets.pixel_range import Levels, notes_on_levels, wrong_with_levels
from medssl_bench.errors import DataError, did_you_mean, quoted
from medssl_bench.plugin.content import file_digest

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 4096
"""Images that are looked at together, so that a file which is larger than the memory can be looked through."""


@dataclass(frozen=True)
class ImageArray:
    """An array of images in a file.

    Attributes:
        path: the file.
        name: of the array in a .npz file; None: the only one.
        size: side in pixels that the suite says; None: as it is.
        cache_dir: where it is remembered that a file has been looked through.
    """

    path: Path
    name: str | None
    size: int | None
    cache_dir: Path

    @cached_property
    def _shape(self) -> tuple[int, int, int]:
        """Number of images, their side and their channels."""
        if self._is_npz:
            with NpzMembers(self.path) as members:
                header = members.header(self._key(members))
                shape, dtype = header.shape, header.dtype
        else:
            shape, dtype = self._mapped().shape, self._mapped().dtype
        return self._checked(shape, dtype)

    def _checked(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[int, int, int]:
        if dtype != np.uint8:
            raise DataError(f"{self.path}: has elements of type {dtype}; images must be uint8 (0 to 255): rescale them")
        if len(shape) not in {3, 4} or (len(shape) == 4 and shape[3] not in {1, 3}) or 0 in shape:
            raise DataError(f"{self.path}: has shape {shape}; it must be (N, size, size) or (N, size, size, 3)")
        if shape[1] != shape[2]:
            raise DataError(f"{self.path}: has shape {shape}; the images must be square: crop or pad them")
        if self.size not in {None, shape[1]}:
            raise DataError(
                f"{self.path}: its images are {shape[1]} pixels wide, and size = {self.size}; resize them, or leave "
                "out 'size'"
            )
        return shape[0], shape[1], shape[3] if len(shape) == 4 else 1

    @property
    def count(self) -> int:
        """Number of images."""
        return self._shape[0]

    @property
    def side(self) -> int:
        """Side in pixels."""
        return self._shape[1]

    @property
    def channels(self) -> int:
        """1 (grey) or 3 (RGB)."""
        return self._shape[2]

    def sha256(self) -> str:
        """Return the SHA-256 of the file, and which array of it is read.

        Raises:
            DataError: the array is not there.
        """
        digest = file_digest(self.path)
        if not self._is_npz:
            return str(digest)
        with NpzMembers(self.path) as members:
            return f"{digest} {self._key(members)}"

    def files(self) -> list[Path]:
        """Return nothing: no image is a file of its own."""
        return []

    def listing_notes(self) -> tuple[str, ...]:
        """Return nothing: all images of the array are read."""
        return ()

    def notes(self) -> tuple[str, ...]:
        """Return what people should know of the images, a line each; they are looked through once.

        Raises:
            DataError: they are not what they must be, or use little of their range.
        """
        what = f"notes on the images of array {self.name}"
        found = remembered_of(self.path, what, self.cache_dir, lambda: json.dumps(self._looked_through()))
        return tuple(map(str, json.loads(found)))

    def _looked_through(self) -> list[str]:
        images = self.images()
        parts = [Levels.of(images[start : start + _CHUNK]) for start in range(0, len(images), _CHUNK)]
        levels = Levels(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("low", "high", "limit")))
        names = [f"number {place}" for place in range(len(images))]
        if wrong := wrong_with_levels(levels, names, np.zeros(len(images), np.int64), ["the array"]):
            raise DataError(f"{self.path}: {wrong}")
        return notes_on_levels(levels, names)

    def images(self) -> NDArray[np.uint8]:
        """Return them, (N, side, side) or (N, side, side, 3); of a .npy file as a read-only memory map.

        Raises:
            DataError: they are not what they must be, or those of a .npz file do not fit into memory.
        """
        count, side, channels = self._shape
        found: NDArray[np.uint8]
        if self._is_npz:
            with NpzMembers(self.path) as members:
                found = members.read(self._key(members))
        else:
            found = self._mapped()
        return found if channels == 3 else found.reshape(count, side, side)

    @property
    def _is_npz(self) -> bool:
        if not self.path.is_file() or self.path.suffix.lower() not in {".npy", ".npz"}:
            raise DataError(f"{self.path}: neither a folder nor a .npy or .npz file; correct 'path'")
        is_npz = self.path.suffix.lower() == ".npz"
        if self.name is not None and not is_npz:
            raise DataError(f"{self.path}: a .npy file has one array, without a name; leave out 'array'")
        return is_npz

    def _key(self, members: NpzMembers) -> str:
        names = sorted(members.keys())
        if self.name is None and len(names) == 1:
            return names[0]
        if self.name is None or self.name not in names:
            said = (
                "holds"
                if self.name is None
                else f"has no array {self.name!r}{did_you_mean(self.name, names)}; it holds"
            )
            raise DataError(f'{self.path}: {said} {quoted(names) or "no arrays"}; say which with array = "..."')
        return self.name

    def _mapped(self) -> NDArray[np.uint8]:
        try:
            found: NDArray[np.uint8] = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            reason = " ".join(str(error).split())[:200]
            raise DataError(f"{self.path}: not a .npy file, or a damaged one ({reason})") from error
        return found
