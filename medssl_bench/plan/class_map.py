"""Which classes of two data sets are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets import Task
from medssl_bench.errors import did_you_mean
from medssl_bench.plan.spec import SpecPart

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets import DatasetInfo


class ClassMap(SpecPart):
    """The classes that a data set which is trained on shares with another one.

    Attributes:
        names: of the shared classes, as the first set calls them.
        own: place of each among the classes of the first set, ascending.
        other: for each class of the other set, which of the shared ones it is; -1: none, its images are left out.
    """

    names: tuple[str, ...]
    own: tuple[int, ...]
    other: tuple[int, ...]

    @property
    def here(self) -> ClassMap:
        """The same classes, with the first set in the place of the other one."""
        known = {place: number for number, place in enumerate(self.own)}
        other = tuple(known.get(place, -1) for place in range(max(self.own) + 1))
        return ClassMap(names=self.names, own=self.own, other=other)

    def images(self, task: Task, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of the other set's images that are of a shared class; of multi-label data, all.

        Args:
            task: what labels mean.
            labels: of the other set, (N, 1) or (N, L).
        """
        import numpy as np

        if task is Task.MULTI_LABEL:
            return np.arange(len(labels))
        return np.flatnonzero(self._shared(labels[:, 0]) >= 0)

    def labels(self, task: Task, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return labels of the other set's images as those of the shared classes.

        Where several labels of the other set are one shared label, it is there if one of them is. Arguments: `images`.
        """
        import numpy as np

        if task is not Task.MULTI_LABEL:
            return self._shared(labels)
        numbers = self._shared(np.arange(labels.shape[1]))
        return np.stack([labels[:, numbers == number].max(1) for number in range(len(self.names))], 1)

    def scores(self, task: Task, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores of the shared classes, (N, K); of one class an image, they sum to 1 again.

        Where no shared class has any probability, as it is written in 32 bits, all have the same.
        """
        import numpy as np

        found = scores[:, list(self.own)]
        if task is Task.MULTI_LABEL:
            return found
        total = found.sum(1, keepdims=True, dtype=np.float64)
        even = np.full_like(found, 1 / found.shape[1])
        return np.where(total > 0, found / np.where(total > 0, total, 1), even).astype(np.float32)

    def _shared(self, classes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which shared class some classes of the other set are, or -1."""
        import numpy as np

        return np.append(np.array(self.other, np.int64), -1)[np.minimum(classes, len(self.other))]

    @classmethod
    def of(cls, own: DatasetInfo, other: DatasetInfo, wanted: Mapping[str, tuple[str, ...]]) -> ClassMap | str:
        """Return the shared classes, or why classifiers of one set cannot be tested on the other.

        Args:
            own: of the set that is trained on.
            other: of the other set.
            wanted: for classes of the first set the classes of the other; empty: those of the same name.
        """
        several = (own.task is Task.MULTI_LABEL, other.task is Task.MULTI_LABEL)
        if several[0] != several[1]:
            return f"{own.title} is {own.task} and {other.title} is {other.task}: their labels mean different things"
        if own.size != other.size:
            sizes = f"images of {other.title} have {other.size} pixels, those that were trained on {own.size}"
            return f"{sizes}; read both at one size"
        pairs = wanted or {name: (name,) for name in own.classes if name in other.classes}
        taken: dict[str, str] = {}
        for name, there in pairs.items():
            if name not in own.classes:
                return f"classes: {own.title} has no class {name!r}{_there(name, own.classes)}"
            for each in there:
                if each not in other.classes:
                    return f"classes: {other.title} has no class {each!r}{_there(each, other.classes)}"
                if taken.setdefault(each, name) != name:
                    return f"classes: {each!r} of {other.title} would be {taken[each]!r} and {name!r}"
        shared = [name for name in own.classes if pairs.get(name)]
        if len(shared) < (1 if several[0] else 2):
            have = f"one class, {shared[0]!r}" if shared else "no class"
            named = "as they are named here" if wanted else "of the same name"
            text = f"{own.title} and {other.title} share {have}, {named}, and two are needed"
            return f'{text}: name them, classes = {{ own = "other" }}'
        places = {each: shared.index(name) for name, found in pairs.items() for each in found}
        return cls(
            names=tuple(shared),
            own=tuple(own.classes.index(name) for name in shared),
            other=tuple(places.get(name, -1) for name in other.classes),
        )


def _there(name: str, known: tuple[str, ...]) -> str:
    return did_you_mean(name, known) or f"; there are: {', '.join(known)}"
