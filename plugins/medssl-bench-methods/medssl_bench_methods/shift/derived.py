"""What data sets that are made of others have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from medssl_bench.datasets import Dataset, DatasetInfo
from medssl_bench.errors import DataError


class Derived(Dataset):
    """A data set that is made of others.

    Args:
        bases: what it is made of.
    """

    def __init__(self, bases: Sequence[Dataset]) -> None:
        self.bases = tuple(bases)

    @abstractmethod
    def described(self, infos: Sequence[DatasetInfo]) -> DatasetInfo:
        """Return what is known of the data set, given what is known of those that it is made of.

        Raises:
            DataError: they do not fit together.
        """

    def info(self) -> DatasetInfo | None:
        """Return what is known without the images, or None while one of the data sets cannot be seen.

        Raises:
            DataError: the data can be seen and is not valid, or the data sets do not fit together.
        """
        infos = [base.info() for base in self.bases]
        return None if None in infos else self.described([info for info in infos if info])

    def known(self) -> list[DatasetInfo]:
        """Return what is known of the data sets once they have been read.

        Raises:
            DataError: nothing is, even then.
        """
        infos = [info for base in self.bases if (info := base.info())]
        if len(infos) < len(self.bases):
            raise DataError("a data set that this one is made of does not say what it is")
        return infos

    def fingerprint(self) -> str | None:
        """Return the fingerprints of the data sets; None while one cannot be seen."""
        found = [base.fingerprint() for base in self.bases]
        return None if None in found else f"{type(self).__name__} 1: " + " | ".join(text for text in found if text)


def require_alike(name: str, infos: Sequence[DatasetInfo]) -> None:
    """Require data sets of the same task, names of classes and size.

    Args:
        name: of the data set that is made of them.
        infos: what is known of them, the first one leading.

    Raises:
        DataError: they differ.
    """
    first = infos[0]
    for other in infos[1:]:
        for what, one, two in (
            ("task", first.task, other.task),
            ("classes", ", ".join(sorted(first.classes)), ", ".join(sorted(other.classes))),
            ("size in pixels", first.size, other.size),
        ):
            if one != two:
                raise DataError(f"{name}: {first.title} and {other.title} differ in their {what}: {one} and {two}")
