"""A fold of a data set, and what is known of it before images are read. Importing this module imports no NumPy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from medssl_bench.datasets.base import SPLITS

if TYPE_CHECKING:
    from medssl_bench.datasets.base import DatasetInfo, SplitName

MOST = 100
"""Folds that a comparison may have; more ask for leave-one-out, which no pretraining can be repeated for."""


@dataclass(frozen=True)
class Fold:
    """One of several folds: its images are the test split, and all others are trained on.

    Attributes:
        number: which one, from 0.
        count: how many folds there are.
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"fold {self.number} of {self.count}"


def expected(info: DatasetInfo, fold: Fold) -> DatasetInfo:
    """Return what is known of a data set in a fold before its labels are read: numbers are about right.

    Without groups the counts of the splits are exact, and those of classes are within one or two images. Notes and
    warnings are of the set's own splits, so they are left out.

    Args:
        info: of the data set's own splits.
        fold: which one.
    """
    counts = _counts(info.counts, info.counts, fold)
    found: dict[SplitName, tuple[int, ...] | None] = dict.fromkeys(SPLITS)
    if info.class_counts and info.val_class_counts and info.test_class_counts:
        by_class = zip(info.class_counts, info.val_class_counts, info.test_class_counts, strict=True)
        each = [_counts(dict(zip(SPLITS, numbers, strict=True)), info.counts, fold) for numbers in by_class]
        found = {name: tuple(numbers[name] for numbers in each) for name in SPLITS}
    groups = info.group_counts
    return replace(
        titled(info, fold),
        counts=counts,
        class_counts=found["train"],
        val_class_counts=found["val"],
        test_class_counts=found["test"],
        group_counts=None if groups is None else _counts(groups, info.counts, fold),
    )


def titled(info: DatasetInfo, fold: Fold) -> DatasetInfo:
    """Return the description of a data set's own splits with the title of a fold, without their notes and warnings."""
    return replace(info, title=f"{info.title}, {fold}", notes=(), warnings=())


def _counts(numbers: dict[SplitName, int], images: dict[SplitName, int], fold: Fold) -> dict[SplitName, int]:
    """Return about how many of something each split has in a fold, given how many it has in the set's own splits."""
    total = sum(numbers.values())
    edges = [int(number / fold.count * total + 0.5) for number in (fold.number, fold.number + 1)]
    rest = total - (edges[1] - edges[0])
    train = int(images["train"] / max(1, images["train"] + images["val"]) * rest + 0.5)
    return {"train": train, "val": rest - train, "test": total - rest}
