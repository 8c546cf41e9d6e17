"""What the labels of a file mean: the task they pose and the classes they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import ONE_CLASS, Task
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName

    Labels = dict[SplitName, NDArray[np.int64]]


def read_labels(
    where: str, labels: Labels, task: str | None, classes: Sequence[str] | None
) -> tuple[Task, tuple[str, ...]]:
    """Return the task and the class names, given or found in the labels, having checked one against the other.

    Args:
        where: what messages begin with.
        labels: of each split, (N, L), not negative.
        task: None: multi-label for several columns, binary for two classes, else multi-class.
        classes: names in the order of the class numbers (or of the columns); None: the numbers themselves.

    Raises:
        DataError: they contradict each other, a split has images of one class only, or the labels are one-hot.
    """
    columns = labels["train"].shape[1]
    if classes is not None and len(set(classes)) != len(classes):
        raise DataError(f"{where}: classes: a name appears twice")
    if task == Task.MULTI_LABEL or (task is None and columns > 1):
        names = _columns(where, labels, classes)
        if task is None and all((numbers.sum(axis=1) == 1).all() for numbers in labels.values()):
            raise DataError(
                f"{where}: every row of labels has a single 1, as one-hot classes have; give class numbers in one "
                f'column, or say task = "multi-label"'
            )
        return Task.MULTI_LABEL, names
    if columns > 1:
        raise DataError(
            f"{where}: train_labels has {columns} columns; the task {task!r} needs one column of class numbers"
        )
    names = _classes(where, labels, classes)
    if len(np.unique(labels["train"])) < 2:
        raise DataError(f"{where}: train_labels: all training images have the same class; there is nothing to learn")
    for split in ("val", "test"):
        if len(np.unique(labels[split])) < 2:
            raise DataError(f"{where}: {split}_labels: all {split} images have the same class; {ONE_CLASS}")
    found = Task(task) if task else Task.BINARY if len(names) == 2 else Task.MULTI_CLASS
    if found is Task.BINARY and len(names) != 2:
        raise DataError(f"{where}: has {len(names)} classes; the task 'binary' needs two")
    return found, names


def class_counts(labels: NDArray[np.int64], classes: Sequence[str]) -> tuple[int, ...]:
    """Return the number of images of each class, from labels (N, 1)."""
    return tuple(int(count) for count in np.bincount(labels[:, 0], minlength=len(classes)))


def _columns(where: str, labels: Labels, classes: Sequence[str] | None) -> tuple[str, ...]:
    columns = labels["train"].shape[1]
    for split, numbers in labels.items():
        if numbers.max() > 1:
            raise DataError(
                f"{where}: {split}_labels: has {columns} columns with numbers other than 0 and 1; a multi-label set "
                f"has a column of 0 and 1 for each label, other tasks one column of class numbers"
            )
    if classes is None:
        return tuple(str(index) for index in range(columns))
    if len(classes) != columns:
        raise DataError(f"{where}: classes: has {len(classes)} names for {columns} columns of labels")
    return tuple(classes)


def _classes(where: str, labels: Labels, classes: Sequence[str] | None) -> tuple[str, ...]:
    for split, numbers in labels.items():
        if classes is not None and numbers.max() >= len(classes):
            raise DataError(
                f"{where}: {split}_labels: label {numbers.max()} is out of range; {len(classes)} names of classes mean "
                f"labels from 0 to {len(classes) - 1}"
            )
    if classes is not None:
        return tuple(classes)
    found = np.unique(np.concatenate(list(labels.values())))
    if found[-1] != len(found) - 1:
        gap = int(np.argmax(found != np.arange(len(found))))
        raise DataError(
            f"{where}: no image has label {gap}, but one has label {found[-1]}; number the classes from 0 without "
            f"gaps, or name them all with 'classes'"
        )
    return tuple(str(number) for number in found)


def label_note(split: SplitName, classes: Sequence[str], labels: NDArray[np.int64]) -> str:
    """Return how many images of a split have each label, as a line: ``train: Edema: 13, Mass: 11``.

    Args:
        split: the split.
        classes: names of the labels.
        labels: (N, L) of 0 and 1.
    """
    counts = zip(classes, labels.sum(axis=0).tolist(), strict=True)
    return f"{split}: {', '.join(f'{name}: {count}' for name, count in counts)}"
