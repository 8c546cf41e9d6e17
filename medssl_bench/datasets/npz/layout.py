"""MedMNIST's file layout: one npz with ``train_images``, ``train_labels``, ``val_...`` and ``test_...``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.datasets.base import SPLITS, Images, Split
from medssl_bench.datasets.memory import require_memory
from medssl_bench.datasets.npz.members import NpzMembers
from medssl_bench.datasets.pixel_range import Levels, notes_on_levels, wrong_with_levels
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName, Splits

_MOST_COLUMNS = 10_000
"""Labels of a multi-label set; what has more is no table of labels."""

_UNLABELLED = "unlabelled_images"

_KEYS = tuple(f"{split}_{part}" for split in SPLITS for part in ("images", "labels"))


@dataclass(frozen=True)
class Layout:
    """What a file holds, its pixels left aside.

    Attributes:
        size: side of the images in pixels.
        channels: 1 (grey) or 3 (RGB).
        labels: of each split, (N, L).
        unlabelled: number of images without labels.
    """

    size: int
    channels: int
    labels: dict[SplitName, NDArray[np.int64]]
    unlabelled: int = 0

    @property
    def counts(self) -> dict[SplitName, int]:
        """Number of images of each split."""
        return {split: len(labels) for split, labels in self.labels.items()}


def read_layout(path: Path) -> Layout:
    """Read the labels, and of the images only what their headers say.

    Raises:
        DataError: the file cannot be read or has another layout; the message names the file and the array.
    """
    with NpzMembers(path) as members:
        return _layout(path, members)


def read_splits(path: Path) -> Splits:
    """Read all images and labels.

    Raises:
        DataError: as `read_layout`, or the images do not fit into memory.
    """
    with NpzMembers(path) as members:
        layout = _layout(path, members)
        _require_memory(path, layout)
        return {split: Split(_images(members, f"{split}_images", layout), layout.labels[split]) for split in SPLITS}


def read_unlabelled(path: Path) -> Images:
    """Read the images without labels.

    Raises:
        DataError: as `read_layout`, or they do not fit into memory.
    """
    with NpzMembers(path) as members:
        layout = _layout(path, members)
        return Images(_images(members, _UNLABELLED, layout))


def check_images(path: Path) -> list[str]:
    """Look at all images, a split at a time, so that damage and black images are known before anything is trained.

    Returns:
        What people should know of single images, a line each.

    Raises:
        DataError: as `read_splits`, or the images use little of their range.
    """
    with NpzMembers(path) as members:
        layout = _layout(path, members)
        _require_memory(path, layout)
        parts = [Levels.of(_images(members, f"{split}_images", layout)) for split in SPLITS]
        more = Levels.of(_images(members, _UNLABELLED, layout)) if layout.unlabelled else Levels.none(0)
    levels = Levels(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("low", "high", "limit")))
    names = [f"{split}_images[{place}]" for split in SPLITS for place in range(layout.counts[split])]
    numbers = np.concatenate([layout.labels[split] for split in SPLITS])
    labels: NDArray[np.int64] = numbers[:, 0] if numbers.shape[1] == 1 else np.zeros(len(numbers), np.int64)
    classes = [f"label {label}" for label in range(int(labels.max()) + 1)] if numbers.shape[1] == 1 else ["any label"]
    more_names = [f"{_UNLABELLED}[{place}]" for place in range(layout.unlabelled)]
    if wrong := wrong_with_levels(levels, names, labels, classes):
        raise DataError(f"{path}: {wrong}")
    if wrong := wrong_with_levels(more, more_names, np.zeros(len(more_names), np.int64), [_UNLABELLED]):
        raise DataError(f"{path}: {_UNLABELLED}: {wrong}")
    return [*notes_on_levels(levels, names), *notes_on_levels(more, more_names)]


def _require_memory(path: Path, layout: Layout) -> None:
    require_memory(sum(layout.counts.values()) * layout.size**2 * layout.channels, f"{path}: its images")


def _images(members: NpzMembers, key: str, layout: Layout) -> NDArray[np.uint8]:
    images = members.read(key)
    return images if layout.channels == 3 else images.reshape(images.shape[:3])


def _layout(path: Path, members: NpzMembers) -> Layout:
    if missing := [key for key in _KEYS if key not in members.keys()]:  # noqa: SIM118 - not a dictionary
        raise DataError(f"{path}: has no {', '.join(missing)}; an npz data set has the arrays {', '.join(_KEYS)}")
    kinds = {split: _image_kind(path, members, f"{split}_images") for split in SPLITS}
    (_, size, channels) = kinds["train"]
    found = {f"{split}_images": kind for split, kind in kinds.items()}
    if _UNLABELLED in members.keys():  # noqa: SIM118 - not a dictionary
        found[_UNLABELLED] = _image_kind(path, members, _UNLABELLED)
    for key, (_, *kind) in found.items():
        if kind != [size, channels]:
            raise DataError(
                f"{path}: {key}: {kind[0]} pixels wide with {kind[1]} channels, where train_images are {size} "
                f"pixels wide with {channels}; all splits must be alike"
            )
    columns = {split: _columns(path, members, split, kinds[split][0]) for split in SPLITS}
    for split in SPLITS:
        if columns[split] != columns["train"]:
            raise DataError(f"{path}: {split}_labels: has another number of columns than train_labels")
    labels = {split: _labels(path, members, split) for split in SPLITS}
    return Layout(size, channels, labels, found[_UNLABELLED][0] if _UNLABELLED in found else 0)


def _image_kind(path: Path, members: NpzMembers, key: str) -> tuple[int, int, int]:
    """Return the number of images, their side and their channels."""
    header = members.header(key)
    shape = header.shape
    if header.dtype != np.uint8:
        used = _range_used(members, key, header.dtype)
        raise DataError(f"{path}: {key}: has elements of type {header.dtype}{used}; images must be uint8 (0 to 255)")
    if len(shape) not in {3, 4} or (len(shape) == 4 and shape[3] not in {1, 3}):
        raise DataError(f"{path}: {key}: has {_shape_text(shape)}; it must be (N, size, size) or (N, size, size, 3)")
    if shape[0] == 0:
        raise DataError(f"{path}: {key}: holds no images; every split needs some")
    if shape[1] != shape[2] or shape[1] == 0:
        raise DataError(f"{path}: {key}: has shape {shape}; the images must be square: crop or pad them")
    return shape[0], shape[1], shape[3] if len(shape) == 4 else 1


def _range_used(members: NpzMembers, key: str, dtype: np.dtype[Any]) -> str:
    """Return how much of its range an array uses, and what to do about it."""
    extremes = members.extremes(key)
    if extremes is None:
        return ""
    low, high = extremes
    if dtype.kind == "b":
        return ", which is no range of grey"
    if dtype.kind == "f":
        do = "multiply by 255" if 0 <= low <= high <= 1 else "round" if 0 <= low <= high <= 255 else "rescale"
        return f", whose values go from {low:g} to {high:g} ({do}, all splits alike)"
    info = np.iinfo(dtype)
    return f", whose values go from {low} to {high} of {info.min}..{info.max} (rescale, all splits alike)"


def _columns(path: Path, members: NpzMembers, split: SplitName, images: int) -> int:
    """Return the number of columns of labels."""
    key = f"{split}_labels"
    header = members.header(key)
    shape = header.shape
    if header.dtype.kind not in "bui":
        raise DataError(f"{path}: {key}: has elements of type {header.dtype}; labels must be integers")
    if len(shape) not in {1, 2} or shape[0] != images or 0 in shape:
        raise DataError(
            f"{path}: {key}: has {_shape_text(shape)}; {images} images need labels of shape ({images}, 1), or "
            f"({images}, L) with L columns of 0 and 1"
        )
    columns = shape[1] if len(shape) == 2 else 1
    if columns > _MOST_COLUMNS:
        raise DataError(f"{path}: {key}: has {columns:,} columns; a multi-label set has at most {_MOST_COLUMNS:,}")
    return columns


def _shape_text(shape: tuple[int, ...]) -> str:
    return f"shape {shape}" if len(shape) <= 6 else f"{len(shape)} axes"


def _labels(path: Path, members: NpzMembers, split: SplitName) -> NDArray[np.int64]:
    key = f"{split}_labels"
    labels = members.read(key, spare=2 * np.dtype(np.int64).itemsize)  # what becomes of them, and a copy to count in
    return _as_int64(path, key, labels).reshape(len(labels), -1)


def _as_int64(path: Path, key: str, labels: NDArray[Any]) -> NDArray[np.int64]:
    converted = labels.astype(np.int64)
    if converted.min() < 0:  # also what an unsigned number beyond int64 becomes
        place = int(np.argmin(converted.min(axis=-1) if converted.ndim == 2 else converted))
        raise DataError(f"{path}: {key}: row {place} has a label out of range; class numbers start from 0")
    return converted
