"""A data set without the images of some classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medssl_bench.datasets import Dataset, DatasetInfo, Images, Split, Splits, Task
from medssl_bench.datasets.base import SPLITS
from medssl_bench.errors import DataError, did_you_mean
from medssl_bench_methods.shift.derived import Derived


class WithoutClasses(Derived):
    """A data set without some classes.

    Args:
        base: the data set.
        classes: names of those that are left out.
    """

    def __init__(self, base: Dataset, classes: Sequence[str]) -> None:
        super().__init__([base])
        self.classes = tuple(classes)

    def described(self, infos: Sequence[DatasetInfo]) -> DatasetInfo:
        """Return what is known without those classes.

        Raises:
            DataError: an image can have several labels, a class is unknown, or fewer than two stay.
        """
        (base,) = infos
        stay = kept_places(base, self.classes, "without_classes")
        counts = [
            None if found is None else tuple(found[place] for place in stay)
            for found in (base.class_counts, base.val_class_counts, base.test_class_counts)
        ]
        numbers = {
            name: base.counts[name] if found is None else sum(found) for name, found in zip(SPLITS, counts, strict=True)
        }
        return replace(
            base,
            title=f"{base.title} without {', '.join(self.classes)}",
            task=Task.BINARY if len(stay) == 2 and base.task is not Task.ORDINAL else base.task,
            classes=tuple(base.classes[place] for place in stay),
            counts=numbers,
            class_counts=counts[0],
            val_class_counts=counts[1],
            test_class_counts=counts[2],
            group_counts=None,
            files=None,
        )

    def load(self) -> Splits:
        """Read the data set, and leave the images of those classes out."""
        splits = self.bases[0].load()
        (base,) = self.known()
        stay = kept_places(base, self.classes, "without_classes")
        new = np.full(len(base.classes), -1, np.int64)
        new[stay] = np.arange(len(stay))
        found: Splits = {}
        for name, split in splits.items():
            labels = new[split.labels]
            kept = labels[:, 0] >= 0
            groups = None if split.groups is None else split.groups[kept]
            found[name] = Split(split.images[kept], labels[kept], groups)
        return found

    def load_unlabelled(self) -> Images:
        """Refuse: images without labels may be of any class.

        Raises:
            DataError: always.
        """
        raise DataError("without_classes: the unlabelled images may be of the classes that are left out")


def kept_places(info: DatasetInfo, left_out: Sequence[str], what: str) -> list[int]:
    """Return the places of the classes that stay.

    Args:
        info: of the data set.
        left_out: names of the classes that do not.
        what: asks for it.

    Raises:
        DataError: an image can have several labels, a name is no class, or fewer than two classes stay.
    """
    if info.task is Task.MULTI_LABEL:
        raise DataError(f"{what}: {info.title} has images of several labels, so none is of one class")
    for name in left_out:
        if name not in info.classes:
            raise DataError(f"{what}: {info.title} has no class {name!r}{did_you_mean(name, info.classes)}")
    stay = [place for place, name in enumerate(info.classes) if name not in left_out]
    if len(stay) < 2:
        raise DataError(f"{what}: {len(stay)} of the classes of {info.title} would stay; two are needed")
    return stay
