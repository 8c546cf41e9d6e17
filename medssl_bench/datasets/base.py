"""What a data set is: images with labels in three splits, images without, and what is known before they are read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal

from medssl_bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets.file_reading import FileReading

SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "val", "test")


ONE_CLASS = "no metric on them can show whether a classifier is better than a guess: add images of other classes"
"""Why no split may have images of one class only."""


class Task(StrEnum):
    """What the labels mean."""

    MULTI_CLASS = "multi-class"
    BINARY = "binary"
    ORDINAL = "ordinal"
    MULTI_LABEL = "multi-label"
    NONE = "none"
    """There are no labels: the set can be pretrained on, and not evaluated."""


LABELLED_TASKS = tuple(task for task in Task if task is not Task.NONE)
"""What labels can mean: what evaluators and metrics meet."""

ONE_CLASS_TASKS = tuple(task for task in LABELLED_TASKS if task is not Task.MULTI_LABEL)
"""Those in which each image is of one class."""


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set without its images.

    Attributes:
        title: name for people.
        task: what the labels mean.
        classes: class names, in the order of the labels; of a multi-label set, the names of the labels; without
            labels, none.
        channels: 1 (grey) or 3 (RGB).
        size: side of the images in pixels.
        counts: number of images of each split; all 0 where there are no labels.
        licence: licence of the images.
        source: citation or address of the data.
        generated: whether the images are drawn by a program; tables made of them say so.
        class_counts: number of training images of each class, where known and the task has classes.
        val_class_counts: the same of the validation split.
        test_class_counts: the same of the test split.
        notes: what people should know of how the data were read, a line each: what was understood, what was left out.
        warnings: what makes numbers on them too good, a line each: the harness adds here what parts share.
        group_counts: number of groups (patients, say) of each split; None: there are none, or they are not known.
        unlabelled: number of images without labels, beside those of the splits.
        unlabelled_fingerprint: text that changes with their content; empty where `fingerprint()` does that already.
            Apart from it, more images without labels leave the results of all that does not use them valid.
        files: how image files became the images, so that `predict` reads others in the same way; None: the images are
            arrays of one size.
    """

    title: str
    task: Task
    classes: tuple[str, ...]
    channels: int
    size: int
    counts: dict[SplitName, int]
    licence: str = "unknown"
    source: str = ""
    generated: bool = False
    class_counts: tuple[int, ...] | None = None
    val_class_counts: tuple[int, ...] | None = None
    test_class_counts: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    group_counts: dict[SplitName, int] | None = None
    unlabelled: int = 0
    unlabelled_fingerprint: str = ""
    files: FileReading | None = None


@dataclass(frozen=True)
class Images:
    """Images without labels.

    Attributes:
        images: uint8, (N, H, W) for grey images or (N, H, W, 3) for RGB ones; it may be a read-only memory map.
        groups: (N,) integers, equal for images that belong together (one patient, say), or None.
    """

    images: NDArray[np.uint8]
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Split:
    """The images and labels of a split.

    Attributes:
        images: uint8, (N, H, W) for grey images or (N, H, W, 3) for RGB ones.
        labels: integers, (N, 1) with class numbers, or (N, L) with 0 and 1 for a multi-label set.
        groups: (N,) integers, equal for images that belong together (one patient, say), or None.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def at(self, places: NDArray[np.int64] | slice) -> Split:
        """Return some of the images, with their labels and groups; a slice shares the arrays."""
        groups = None if self.groups is None else self.groups[places]
        return Split(self.images[places], self.labels[places], groups)


Splits = dict[SplitName, Split]


@dataclass(frozen=True)
class DatasetContext:
    """Where a data set finds and keeps files.

    Attributes:
        data_dir: folder of downloaded files, and of those a user has put there by hand.
        cache_dir: folder for what can be made again.
        mirror: address that replaces the server of MedMNIST, or None.
    """

    data_dir: Path
    cache_dir: Path
    mirror: str | None = field(default=None)


class Dataset(ABC):
    """A data set; reading it is put off until `load`.

    Class attributes:
        is_labelled: whether its images have labels; without, its task is `Task.NONE`, and `load` gives no splits.
    """

    is_labelled: ClassVar[bool] = True

    @abstractmethod
    def info(self) -> DatasetInfo | None:
        """Return what is known without the images, or None while the data cannot be seen (a file is missing).

        Raises:
            DataError: the data can be seen and is not valid.
        """

    def outline(self) -> DatasetInfo | None:
        """Return what is known without looking at pixels: as `info`, with fewer notes, and images are not checked.

        Raises:
            DataError: as `info`, as far as it is seen.
        """
        return self.info()

    @abstractmethod
    def fingerprint(self) -> str | None:
        """Return a text that changes with the content, such as a checksum; None while the data cannot be seen."""

    def image_names(self) -> dict[str, list[str]]:
        """Return the names of the files of the images, by split and in the order of `load`; nothing: there are none."""
        return {}

    def image_files(self) -> list[Path]:
        """Return the files of the images, those without labels too; nothing: images are no files of their own."""
        return []

    @abstractmethod
    def load(self) -> Splits:
        """Read, or fetch and read, the images and labels of all three splits.

        Raises:
            DataError: the data cannot be had or is not valid; the message says what to do.
        """

    def load_unlabelled(self) -> Images:
        """Read the images without labels; as many as `info` says, of the size and channels of the others.

        Raises:
            DataError: there are none, or they cannot be had or are not valid; the message says what to do.
        """
        raise DataError("this data set has no unlabelled images")
