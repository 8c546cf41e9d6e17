"""Cross-validation: the images of all splits shared out to folds, each of which is the test split once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import SPLITS, Split, Task
from medssl_bench.datasets.check_info import wrong_with
from medssl_bench.datasets.grouped_splits import drawn_splits
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import DatasetInfo, SplitName, Splits

FEWEST = 2
"""Folds that there must be, so that something is left to learn from."""

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


def folded(splits: Splits, fold: Fold) -> Splits:
    """Return the splits that a data set has in a fold: its own three put together, and shared out again.

    The folds part no group (of one patient, say) and keep the class proportions, by the rule of `drawn_splits`. Which
    images are in which fold depends on the data set alone: not on seeds, draws or arms. What is not the test split is
    shared out by the same rule to training and validation images, as many to one as the set's own splits have.

    Args:
        splits: the data set's own.
        fold: which one.

    Raises:
        DataError: there are too few images or groups for so many folds, or only some splits have groups.
    """
    whole = _together(splits)
    parts = drawn_splits(whole.labels, whole.groups, dict.fromkeys(range(fold.count), 1.0), seed=0)
    test = parts[fold.number]
    rest = np.setdiff1d(np.arange(len(whole)), test, assume_unique=True)
    shares = {name: float(len(splits[name])) for name in ("train", "val")}
    groups = None if whole.groups is None else whole.groups[rest]
    drawn = drawn_splits(whole.labels[rest], groups, shares, seed=fold.number)
    return {
        "train": _taken(whole, rest[drawn["train"]]),
        "val": _taken(whole, rest[drawn["val"]]),
        "test": _taken(whole, test),
    }


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
        _titled(info, fold),
        counts=counts,
        class_counts=found["train"],
        val_class_counts=found["val"],
        test_class_counts=found["test"],
        group_counts=None if groups is None else _counts(groups, info.counts, fold),
    )


def described(info: DatasetInfo, splits: Splits, fold: Fold) -> DatasetInfo:
    """Return what a data set says of itself in a fold, by the images that it has there.

    Args:
        info: of the data set's own splits.
        splits: as `folded` gives them.
        fold: which one.

    Raises:
        DataError: a split of the fold is of no use.
    """
    classes: dict[SplitName, tuple[int, ...] | None] = dict.fromkeys(SPLITS)
    if info.task is not Task.MULTI_LABEL:
        classes = {
            name: tuple(np.bincount(splits[name].labels[:, 0], minlength=len(info.classes)).tolist()) for name in SPLITS
        }
    grouped = all(splits[name].groups is not None for name in SPLITS)
    found = replace(
        _titled(info, fold),
        counts={name: len(splits[name]) for name in SPLITS},
        class_counts=classes["train"],
        val_class_counts=classes["val"],
        test_class_counts=classes["test"],
        group_counts={name: len(np.unique(splits[name].groups)) for name in SPLITS} if grouped else None,  # type: ignore[arg-type]
    )
    if wrong := wrong_with(found):
        raise DataError(f"{found.title}: {wrong}; ask for fewer folds")
    for name, counts in classes.items():
        if counts and len(splits[name]) and np.count_nonzero(counts) < FEWEST:
            only = info.classes[int(np.argmax(counts))]
            raise DataError(f"{found.title}: all {name} images are of class {only!r}; ask for fewer folds")
    return found


def _titled(info: DatasetInfo, fold: Fold) -> DatasetInfo:
    return replace(info, title=f"{info.title}, {fold}", notes=(), warnings=())


def _together(splits: Splits) -> Split:
    """Return the images of all splits as one."""
    found = [splits[name] for name in SPLITS]
    groups = [split.groups for split in found if len(split)]
    if any(each is None for each in groups) and not all(each is None for each in groups):
        raise DataError("some splits of the data set have groups and others have none, so no folds can be drawn")
    grouped = groups[0] is not None
    return Split(
        np.concatenate([split.images for split in found]),
        np.concatenate([split.labels for split in found]),
        np.concatenate([each for each in groups if each is not None]) if grouped else None,
    )


def _taken(whole: Split, places: NDArray[np.int64]) -> Split:
    groups = None if whole.groups is None else whole.groups[places]
    return Split(whole.images[places], whole.labels[places], groups)


def _counts(numbers: dict[SplitName, int], images: dict[SplitName, int], fold: Fold) -> dict[SplitName, int]:
    """Return about how many of something each split has in a fold, given how many it has in the set's own splits."""
    total = sum(numbers.values())
    edges = [int(number / fold.count * total + 0.5) for number in (fold.number, fold.number + 1)]
    rest = total - (edges[1] - edges[0])
    train = int(images["train"] / max(1, images["train"] + images["val"]) * rest + 0.5)
    return {"train": train, "val": rest - train, "test": total - rest}
