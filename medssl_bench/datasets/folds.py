"""Cross-validation: the images of all splits shared out to folds, each of which is the test split once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import SPLITS, Split, Task
from medssl_bench.datasets.check_info import wrong_with
from medssl_bench.datasets.fold import Fold, titled
from medssl_bench.datasets.grouped_splits import drawn_splits
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from medssl_bench.datasets.base import DatasetInfo, SplitName, Splits


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
        "train": whole.at(rest[drawn["train"]]),
        "val": whole.at(rest[drawn["val"]]),
        "test": whole.at(test),
    }


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
        titled(info, fold),
        counts={name: len(splits[name]) for name in SPLITS},
        class_counts=classes["train"],
        val_class_counts=classes["val"],
        test_class_counts=classes["test"],
        group_counts={name: len(np.unique(splits[name].groups)) for name in SPLITS} if grouped else None,  # type: ignore[arg-type]
    )
    if wrong := wrong_with(found):
        raise DataError(f"{found.title}: {wrong}; ask for fewer folds")
    for name, counts in classes.items():
        if counts and len(splits[name]) and np.count_nonzero(counts) < 2:
            only = info.classes[int(np.argmax(counts))]
            raise DataError(f"{found.title}: all {name} images are of class {only!r}; ask for fewer folds")
    return found


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
