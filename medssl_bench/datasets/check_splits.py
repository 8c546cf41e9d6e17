"""Whether what a data set loads is what it says of itself: training would take other images and labels as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.datasets.base import SPLITS, Task
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.datasets.base import Dataset, DatasetInfo, SplitName, Splits


def checked_splits(dataset: Dataset, name: str) -> tuple[DatasetInfo, Splits]:
    """Load the splits of a data set, and return them behind what it says of itself.

    Args:
        dataset: one that is here, or can be had.
        name: what it is called, for the message.

    Raises:
        DataError: it cannot be had, or what it loads is not what it says of itself.
    """
    splits, info = dataset.load(), dataset.info()
    assert info is not None
    if wrong := wrong_with_splits(info, splits):
        raise DataError(f"data set {name!r}: {wrong}")
    return info, splits


def wrong_with_splits(info: DatasetInfo, splits: Any) -> str:
    """Return the first thing that is wrong with what `load()` gave, in one line, or an empty string.

    Args:
        info: what the data set says of itself, sound.
        splits: what it loads; a plugin may give anything.
    """
    wanted = () if info.task is Task.NONE else SPLITS
    if not isinstance(splits, dict) or set(splits) != set(wanted):
        what = f"the splits {sorted(map(str, splits))}" if isinstance(splits, dict) else type(splits).__name__
        return f"load() gives {what}, not {sorted(wanted)}"
    return wrong_with_images(info, splits) or wrong_with_labels(info, splits)


def wrong_with_images(info: DatasetInfo, splits: Mapping[SplitName, Any]) -> str:
    """Return the first thing that is wrong with the images of the splits, or an empty string."""
    return next(
        (wrong for name, split in splits.items() if (wrong := _images(info, name, info.counts[name], split))), ""
    )


def wrong_with_unlabelled(info: DatasetInfo, found: Any) -> str:
    """Return the first thing that is wrong with what `load_unlabelled()` gave, or an empty string."""
    if wrong := _images(info, "unlabelled", info.unlabelled, found):
        return wrong
    groups = getattr(found, "groups", None)
    if groups is not None and getattr(groups, "shape", None) != (info.unlabelled,):
        return "unlabelled groups are not one for each image"
    return ""


def _images(info: DatasetInfo, name: str, count: int, part: Any) -> str:
    images = getattr(part, "images", None)
    wanted = (count, info.size, info.size) + ((3,) if info.channels == 3 else ())
    if not isinstance(images, np.ndarray):
        return f"{name} images are {type(images).__name__}, not an array"
    if images.dtype != np.uint8:
        return f"{name} images are {images.dtype}, not uint8"
    if images.shape != wanted:
        return f"{name} images have shape {images.shape}; info() says {wanted}"
    return ""


def wrong_with_labels(info: DatasetInfo, splits: Mapping[SplitName, Any]) -> str:
    """Return the first thing that is wrong with the labels and groups of the splits, or an empty string."""
    columns = len(info.classes) if info.task is Task.MULTI_LABEL else 1
    highest = 1 if info.task is Task.MULTI_LABEL else len(info.classes) - 1
    for name, split in splits.items():
        labels, groups, wanted = split.labels, split.groups, (info.counts[name], columns)
        if not isinstance(labels, np.ndarray):
            return f"{name} labels are {type(labels).__name__}, not an array"
        if labels.shape != wanted:
            return f"{name} labels have shape {labels.shape}, not {wanted}"
        if labels.dtype != np.int64:
            return f"{name} labels are {labels.dtype}, not int64"
        low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
        if low < 0 or high > highest:
            return f"{name} labels run from {low} to {high}, not within 0 to {highest}"
        if groups is not None and getattr(groups, "shape", None) != wanted[:1]:
            return f"{name} groups are not one for each image"
        found = None if groups is None else len(np.unique(groups))
        if info.group_counts is not None and found != info.group_counts[name]:
            return f"{name} groups are {'missing' if found is None else found}; info() says {info.group_counts[name]}"
    return ""
