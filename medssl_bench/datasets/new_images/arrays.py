"""New images in an array of a .npy or .npz file."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.images.array import ImageArray
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.new_images.kind import ImageKind

SUFFIXES = frozenset({".npy", ".npz"})


class NewArray:
    """Images of an array, which are taken as they are.

    Args:
        path: the file; a .npy file is never read into memory as a whole.
        name: of the array in a .npz file; None: the only one.
        kind: what the model takes.
        cache_dir: the cache.

    Attributes:
        notes: what people should know of the images, a line each.

    Raises:
        DataError: they are not what the model takes.
    """

    def __init__(self, path: Path, name: str | None, kind: ImageKind, cache_dir: Path) -> None:
        self.notes: list[str] = []
        self._array = ImageArray(path, name, None, cache_dir)
        if self._array.side != kind.size:
            raise DataError(
                f"{path}: its images are {self._array.side} pixels wide, and the model takes images of {kind.size}; "
                "resize them as the training images were"
            )
        if self._array.channels > kind.channels:
            raise DataError(f"{path}: its images are in colour, and the model takes grey images")
        where = f"{path.as_posix()}:{name}" if name else path.as_posix()
        self.names = [f"{where}[{place}]" for place in range(self._array.count)]

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def _images(self) -> NDArray[np.uint8]:
        return self._array.images()

    def parts(self, count: int) -> Iterator[NDArray[np.uint8]]:
        """Yield all images in order, `count` at a time: (n, size, size) or (n, size, size, 3) uint8."""
        for start in range(0, len(self), count):
            yield np.ascontiguousarray(self._images[start : start + count])
