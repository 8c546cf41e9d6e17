"""Training images of one data set, test images of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medssl_bench.datasets import Dataset, DatasetInfo, Images, Split, Splits, Task
from medssl_bench.datasets.base import SplitName
from medssl_bench.datasets.join import join
from medssl_bench_methods.shift.arrays import with_classes
from medssl_bench_methods.shift.derived import Derived, require_alike


class Shifted(Derived):
    """A data set whose test images are those of another.

    Args:
        train: whose training, validation and unlabelled images count.
        test: whose test images count.
    """

    def __init__(self, train: Dataset, test: Dataset) -> None:
        super().__init__([train, test])

    def described(self, infos: Sequence[DatasetInfo]) -> DatasetInfo:
        """Return what is known of both.

        Raises:
            DataError: tasks, classes or sizes differ.
        """
        require_alike("shifted", infos)
        train, test = infos
        counts = test.test_class_counts
        if counts is not None:
            counts = tuple(counts[test.classes.index(name)] for name in train.classes)
        return replace(
            train,
            title=f"{train.title} → {test.title}",
            channels=max(train.channels, test.channels),
            counts={**train.counts, "test": test.counts["test"]},
            test_class_counts=counts,
            group_counts=None,
            generated=train.generated or test.generated,
            notes=(*train.notes, *(f"{test.title}: {note}" for note in test.notes)),
            licence="; ".join(dict.fromkeys([train.licence, test.licence])),
            files=None,
        )

    def load(self) -> Splits:
        """Read both data sets; groups are left out, as patients of two data sets cannot be compared."""
        loaded = [base.load() for base in self.bases]
        train, test = self.known()
        require_alike("shifted", [train, test])
        asked = with_classes(loaded[1]["test"], test.classes, train.classes, several=train.task is Task.MULTI_LABEL)
        parts: dict[SplitName, Split] = {"train": loaded[0]["train"], "val": loaded[0]["val"], "test": asked}
        images = join(list(parts.values()), range(3)).images
        edges = np.cumsum([len(part) for part in parts.values()])[:-1]
        return {
            name: Split(own, part.labels)
            for (name, part), own in zip(parts.items(), np.split(images, edges), strict=True)
        }

    def load_unlabelled(self) -> Images:
        """Read the unlabelled images of the data set that is trained on."""
        return self.bases[0].load_unlabelled()
