"""The 2D MedMNIST data sets, at each of their four sizes.

Source: Yang et al., "MedMNIST v2: a large-scale lightweight benchmark for 2D and 3D biomedical image classification",
Scientific Data 10:41 (2023).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from medssl_bench.datasets.base import SPLITS, Dataset, DatasetInfo, SplitName, Task
from medssl_bench.datasets.medmnist.info import published

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from medssl_bench.datasets.base import DatasetContext, Splits
    from medssl_bench.datasets.progress import Report

Size = Literal[28, 64, 128, 224]

FLAGS = (
    "pathmnist",
    "chestmnist",
    "dermamnist",
    "octmnist",
    "pneumoniamnist",
    "retinamnist",
    "breastmnist",
    "bloodmnist",
    "tissuemnist",
    "organamnist",
    "organcmnist",
    "organsmnist",
)
"""The 2D sets, as the medmnist package calls them; each is a component, and an attribute of this module."""

_TASKS = {
    "multi-class": Task.MULTI_CLASS,
    "binary-class": Task.BINARY,
    "ordinal-regression": Task.ORDINAL,
    "multi-label, binary-class": Task.MULTI_LABEL,
}


class MedMNIST(Dataset):
    """A MedMNIST set: the published file, checked against its published MD5, and downloaded when it is not there.

    Args:
        flag: one of `FLAGS`.
        size: side of the images in pixels.
        context: `data_dir` is where the file is looked for and put.

    Attributes:
        file: name, address and MD5 of the published file.
    """

    def __init__(self, flag: str, size: Size, context: DatasetContext) -> None:
        from medssl_bench.datasets.download import RemoteFile

        suffix = "" if size == 28 else f"_{size}"
        self._published = published()[flag]
        self._size = size
        self._context = context
        self.file = RemoteFile(f"{flag}{suffix}.npz", self._published[f"url{suffix}"], self._published[f"MD5{suffix}"])

    def info(self) -> DatasetInfo:
        """Return what the medmnist package says of the set; the file need not be there.

        How many images a class has is not published: it is known once the file is there.
        """
        facts = self._published
        counts = self._class_counts()
        return DatasetInfo(
            title=facts["python_class"],
            task=_TASKS[facts["task"]],
            classes=tuple(facts["label"][str(index)] for index in range(len(facts["label"]))),
            channels=facts["n_channels"],
            size=self._size,
            counts={split: facts["n_samples"][split] for split in SPLITS},
            licence=facts["license"],
            source="MedMNIST v2 (Yang et al. 2023), https://medmnist.com",
            class_counts=counts.get("train"),
            val_class_counts=counts.get("val"),
            test_class_counts=counts.get("test"),
        )

    def _class_counts(self) -> dict[SplitName, tuple[int, ...]]:
        """Return the number of images of each class, by split; nothing while the file is not there."""
        if _TASKS[self._published["task"]] is Task.MULTI_LABEL or not self.is_present():
            return {}
        from medssl_bench.datasets.labels import class_counts
        from medssl_bench.datasets.npz.layout import read_layout
        from medssl_bench.errors import DataError

        try:
            labels = read_layout(self._context.data_dir / self.file.name).labels
            return {split: class_counts(labels[split], tuple(self._published["label"])) for split in SPLITS}
        except DataError:  # load() reports a damaged file, with what to do
            return {}

    def fingerprint(self) -> str:
        """Return the published MD5; the file need not be there."""
        return f"md5:{self.file.md5}"

    def is_present(self) -> bool:
        """Return whether the file is in the data folder; its MD5 is checked when it is read."""
        from medssl_bench.datasets.download import is_present

        return is_present(self.file, self._context)

    def fetch(self, report: Report | None = None) -> Path:
        """Download the file unless it is there, check it, and return its path (see `download.fetch`)."""
        from medssl_bench.datasets.download import fetch

        return fetch(self.file, self._context, report)

    def load(self) -> Splits:
        """Fetch the file if need be and read it.

        Raises:
            DataError: it cannot be had, or is not the published file.
        """
        from medssl_bench.datasets.npz.layout import read_splits

        return read_splits(self.fetch())


def __getattr__(name: str) -> Callable[..., MedMNIST]:
    """Return the factory of the set with this flag."""
    if name in FLAGS:
        return _factory(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _factory(flag: str) -> Callable[..., MedMNIST]:
    def factory(context: DatasetContext, *, size: Size = 28) -> MedMNIST:
        return MedMNIST(flag, size, context)

    facts = published()[flag]
    channels = "grey" if facts["n_channels"] == 1 else "RGB"
    labels = "labels" if _TASKS[facts["task"]] is Task.MULTI_LABEL else "classes"
    factory.__name__ = factory.__qualname__ = flag
    factory.__doc__ = (
        f"{facts['python_class']}: {_TASKS[facts['task']]}, {len(facts['label'])} {labels}, {channels}, "
        f"{facts['n_samples']['train']:,} training images.\n\n{facts['description']}\n\nArgs:\n"
        f"    size: side of the images in pixels; those above 28 are the sets of MedMNIST+.\n"
    )
    return factory
