"""Several data sets of the same classes as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medssl_bench.datasets import Dataset, DatasetInfo, Images, Split, Splits, Task
from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.join import join
from medssl_bench.errors import DataError
from medssl_bench_methods.shift.arrays import with_classes
from medssl_bench_methods.shift.derived import Derived, require_alike


class Union(Derived):
    """The splits of several data sets, one after the other.

    Args:
        bases: the data sets.

    Raises:
        DataError: there are fewer than two, or one has no labels.
    """

    def __init__(self, bases: Sequence[Dataset]) -> None:
        super().__init__(bases)
        if len(self.bases) < 2:
            raise DataError("union: name two or more data sets")

    def described(self, infos: Sequence[DatasetInfo]) -> DatasetInfo:
        """Return the sums of the counts.

        Raises:
            DataError: tasks, classes or sizes differ.
        """
        require_alike("union", infos)
        first = infos[0]
        counts = {name: sum(info.counts[name] for info in infos) for name in SPLITS}
        return DatasetInfo(
            title=" + ".join(info.title for info in infos),
            task=first.task,
            classes=first.classes,
            channels=max(info.channels for info in infos),
            size=first.size,
            counts=counts,
            licence="; ".join(dict.fromkeys(info.licence for info in infos)),
            source="; ".join(dict.fromkeys(info.source for info in infos if info.source)),
            generated=any(info.generated for info in infos),
            unlabelled=sum(info.unlabelled for info in infos),
            notes=tuple(f"{info.title}: {note}" for info in infos for note in info.notes),
            warnings=tuple(f"{info.title}: {line}" for info in infos for line in info.warnings),
        )

    def load(self) -> Splits:
        """Read all data sets, and put each split of theirs together; without groups where one has none."""
        loaded = [base.load() for base in self.bases]
        infos = self.known()
        require_alike("union", infos)
        several = infos[0].task is Task.MULTI_LABEL
        parts = {
            name: [
                with_classes(splits[name], info.classes, infos[0].classes, several=several)
                for splits, info in zip(loaded, infos, strict=True)
            ]
            for name in SPLITS
        }
        every = [part for name in SPLITS for part in parts[name]]
        whole = join(every, [number for _ in SPLITS for number in range(len(loaded))])
        groups = None if any(part.groups is None for part in every) else whole.groups
        found: Splits = {}
        start = 0
        for name in SPLITS:
            stop = start + sum(map(len, parts[name]))
            labels = np.concatenate([part.labels for part in parts[name]])
            found[name] = Split(whole.images[start:stop], labels, None if groups is None else groups[start:stop])
            start = stop
        return found

    def load_unlabelled(self) -> Images:
        """Read the images without labels of all that have some."""
        parts = [base.load_unlabelled() for base, info in zip(self.bases, self.known(), strict=True) if info.unlabelled]
        return join(parts, range(len(parts))) if parts else super().load_unlabelled()
