"""Small data of every task and channel count, in which a class is the place and brightness of a square."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from medssl_bench.datasets import DatasetInfo, Split, Splits, Task
from medssl_bench.datasets.base import SplitName

SIZE = 28
_COUNTS: dict[SplitName, int] = {"train": 36, "val": 12, "test": 20}
_CLASSES = {Task.MULTI_CLASS: 4, Task.BINARY: 2, Task.ORDINAL: 3, Task.MULTI_LABEL: 3}


def small_data(task: Task, channels: int) -> tuple[DatasetInfo, Splits]:
    """Return a data set.

    Args:
        task: what its labels mean.
        channels: 1 or 3.
    """
    classes = _CLASSES[task]
    splits: Splits = {name: _split(task, classes, channels, count, name) for name, count in _COUNTS.items()}
    info = DatasetInfo(
        title=f"small {task} data",
        task=task,
        classes=tuple(f"class {number}" for number in range(classes)),
        channels=channels,
        size=SIZE,
        counts=dict(_COUNTS),
        licence="generated",
        generated=True,
    )
    return info, splits


def small_images(count: int, size: int = SIZE, channels: int = 3) -> Tensor:
    """Return images as the training loop hands them over, (count, 3, size, size) float in [0, 1].

    RGB images lie in memory with their channels last; grey ones have one channel in memory, expanded to three.
    """
    generator = torch.Generator().manual_seed(size)
    if channels == 1:
        return torch.rand(count, 1, size, size, generator=generator).expand(-1, 3, -1, -1)
    return torch.rand(count, size, size, 3, generator=generator).permute(0, 3, 1, 2)


def _split(task: Task, classes: int, channels: int, count: int, name: SplitName) -> Split:
    generator = np.random.default_rng([len(name), classes, channels])
    shape = (count, SIZE, SIZE) if channels == 1 else (count, SIZE, SIZE, 3)
    images = generator.integers(0, 90, shape)
    if task is Task.MULTI_LABEL:
        labels = generator.integers(0, 2, (count, classes))
        labels[:2] = [[0] * classes, [1] * classes]
    else:
        labels = (np.arange(count) % classes)[:, None]
    marks = labels if task is Task.MULTI_LABEL else np.eye(classes, dtype=np.int64)[labels[:, 0]]
    for number in range(classes):
        corner = 2 + 6 * number
        images[marks[:, number] > 0, corner : corner + 5, corner : corner + 5] += 120
    return Split(images.clip(0, 255).astype(np.uint8), labels.astype(np.int64))
