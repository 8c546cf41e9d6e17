"""Data sets of the user's own as images in class folders."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from medssl_bench.datasets.base import ONE_CLASS, SPLITS, Dataset, DatasetInfo, Split, SplitName, Task
from medssl_bench.errors import DataError
from medssl_bench.plugin.parameters import AddedLater

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import DatasetContext, Splits
    from medssl_bench.datasets.folder.image_cache import ReadImages
    from medssl_bench.datasets.folder.listing import Listing


@dataclass(frozen=True)
class FolderDataset(Dataset):
    """Images in class folders; see `folder` for the fields."""

    context: DatasetContext
    path: Path
    size: int
    task: str | None
    validation: float
    test: float
    seed: int
    colour: Literal["auto", "grey", "rgb"]
    title: str
    licence: str
    source: str
    splits: dict[SplitName, str | list[str]] | None = None
    classes: list[str] | None = None
    leave_out: list[str] | None = None

    @cached_property
    def _listing(self) -> Listing:
        from medssl_bench.datasets.folder.layout import Wishes
        from medssl_bench.datasets.folder.listing import list_images

        splits = self.splits and {s: [names] if isinstance(names, str) else names for s, names in self.splits.items()}
        return list_images(self.path, Wishes(splits, self.classes), self.leave_out)

    @cached_property
    def _unreadable(self) -> dict[str, str]:
        from medssl_bench.datasets.folder.listing import unreadable_files

        return unreadable_files(self._listing)

    @cached_property
    def _places(self) -> dict[SplitName, NDArray[np.int64]]:
        from medssl_bench.datasets.folder.split import assign_splits

        return assign_splits(self._listing, self.validation, self.test, self.seed)

    @cached_property
    def _channels(self) -> int:
        """With ``colour = "auto"``, 3 if the first training image of any class is in colour."""
        if self.colour != "auto":
            return 1 if self.colour == "grey" else 3
        return 3 if any(self._is_colour(label) for label in range(len(self._listing.classes))) else 1

    def _is_colour(self, label: int) -> bool:
        """Return whether the first readable image of a class is in colour; unreadable images are reported later."""
        from medssl_bench.datasets.decode import is_colour

        for name in (n for n, own in zip(self._listing.names, self._listing.labels, strict=True) if own == label):
            if name not in self._unreadable:
                with suppress(Exception):  # a decoder may raise anything on a broken file
                    return is_colour(self.path / name)
        return False

    @cached_property
    def _read(self) -> ReadImages:
        from medssl_bench.datasets.folder.image_cache import read_images

        return read_images(
            self._listing,
            "" if self._unreadable else self.fingerprint() or "",
            self.context.cache_dir,
            size=self.size,
            channels=self._channels,
            strict=self.colour == "auto",
            unreadable=self._unreadable,
        )

    def info(self) -> DatasetInfo | None:
        """List the files and decode them, unless that has been done before; None where there is no folder.

        Training needs them decoded anyway; an image that cannot be is to be known before anything is trained.

        Raises:
            DataError: the folder is not laid out as it must be, or files in it cannot be read.
        """
        if not self.path.exists():
            return None
        classes = self._listing.classes
        task = Task(self.task) if self.task else Task.BINARY if len(classes) == 2 else Task.MULTI_CLASS
        if task is Task.BINARY and len(classes) != 2:
            raise DataError(f"{self.path}: has {len(classes)} classes; the task 'binary' needs two")
        for split in SPLITS:
            if sum(count > 0 for count in self._class_counts(split)) < 2:
                raise DataError(f"{self.path}: all images of the {split} split have the same class; {ONE_CLASS}")
        notes = self._read.notes  # a folder that cannot be read raises here
        return DatasetInfo(
            title=self.title,
            task=task,
            classes=classes,
            channels=self._channels,
            size=self.size,
            counts={split: len(self._places[split]) for split in SPLITS},
            licence=self.licence,
            source=self.source,
            class_counts=self._class_counts("train"),
            val_class_counts=self._class_counts("val"),
            test_class_counts=self._class_counts("test"),
            notes=(*self._listing.notes, *self._drawn(), *notes),
        )

    def _drawn(self) -> list[str]:
        """Return which splits were drawn, for people."""
        drawn = [split for split in ("val", "test") if split not in self._listing.found_in]
        return [f"drawn from the training images, class by class: {' and '.join(drawn)}"] if drawn else []

    def _class_counts(self, split: SplitName) -> tuple[int, ...]:
        found = Counter(self._listing.labels[place] for place in self._places[split])
        return tuple(found[label] for label in range(len(self._listing.classes)))

    def fingerprint(self) -> str | None:
        """Return the SHA-256 over the names and contents of the images, or None where there is no folder.

        If the names of the images do not show split and class, the way they are read is hashed too.

        Raises:
            DataError: a file cannot be read.
        """
        if not self.path.exists():
            return None
        from medssl_bench.datasets.digests import folder_sha256
        from medssl_bench.datasets.folder.image_cache import told_together
        from medssl_bench.datasets.folder.listing import unreadable_files

        wrong, reading = self._unreadable, self._listing.reading()
        try:
            if not wrong:
                digest = folder_sha256(self.path, self._listing.names, self.context.cache_dir)
                return f"sha256:{digest}" if not reading else f"sha256:{digest}, read as {reading[:16]}"
        except OSError:
            wrong = unreadable_files(self._listing, opened=True)
        raise DataError(told_together(self._listing, wrong, self.context.cache_dir))

    def image_names(self) -> dict[str, list[str]]:
        """Return the paths of the images below the folder, by split."""
        return {split: [self._listing.names[place] for place in places] for split, places in self._places.items()}

    def load(self) -> Splits:
        """Decode and resize the images, or take them from the cache.

        Raises:
            DataError: the folder is not there or not laid out as it must be, or files in it cannot be read.
        """
        import numpy as np

        self.info()
        labels = np.array(self._listing.labels, np.int64)[:, None]
        images = self._read.images
        return {split: Split(images[places], labels[places]) for split, places in self._places.items()}


def folder(
    context: DatasetContext,
    *,
    path: Path,
    size: Annotated[int, Field(ge=8)] = 28,
    task: Literal["multi-class", "binary", "ordinal"] | None = None,
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.1,
    test: Annotated[float, Field(ge=0, lt=1)] = 0.2,
    seed: Annotated[int, Field(ge=0)] = 0,
    colour: Literal["auto", "grey", "rgb"] = "auto",
    title: str | None = None,
    licence: str = "unknown",
    source: str = "",
    splits: Annotated[dict[SplitName, str | list[str]] | None, AddedLater(None)] = None,
    classes: Annotated[list[str] | None, AddedLater(None)] = None,
    leave_out: Annotated[list[str] | None, AddedLater(None)] = None,
) -> FolderDataset:
    """Images in class folders, with given splits or without.

    With splits: ``path/train/<class>/``, ``path/val/<class>/`` and ``path/test/<class>/``. Those that are not given are
    drawn from the training images, class by class. Without: ``path/<class>/``, of which all three are drawn. A draw
    knows nothing of patients: where several images are of one patient, give the splits. Classes are in the order of
    their names, with numbers by their value (``grade2`` before ``grade10``). Each image is turned as its EXIF data
    says, its short side resized to `size` with antialiasing, and its middle square kept.

    Usual names of splits (``Training``, ``valid``, ``0_train``), splits inside class folders, an archive's outer
    folder, and class names that differ in case are understood; `validate` says so. Folders that may be splits, folds,
    parts, patients or places, masks beside images, images outside of the classes, and files of a kind that is not read
    (DICOM) are refused: the next three parameters say what is meant. All that is not read is counted by `validate`.

    Args:
        context: whose `cache_dir` keeps the resized images.
        path: the folder; a relative path starts from the suite's folder.
        size: side of the images in pixels.
        task: what the labels mean; if left out, two classes mean binary, more multi-class.
        validation: fraction of the training images drawn for validation, where the folder gives no val/.
        test: fraction of the training images drawn for the test, where the folder gives no test/.
        seed: of that draw.
        colour: grey images have one channel, rgb ones three; auto looks at the first training image of each class, and
            refuses to make later ones grey that are in colour.
        title: name for people; if left out, the folder's name.
        licence: licence of the images, for tables and figures made of them.
        source: citation or address of the data.
        splits: folders below `path` that have the class folders of each split, one or several:
            ``{ train = ["fold_0", "fold_1"], test = "fold_2" }``; what is in no split is left out.
        classes: names of the class folders, in order; other folders are left out, and no name is taken for a fold or a
            patient. It changes no other reading.
        leave_out: patterns of files and folders to leave out, by name (``"*_mask*"``) or by path below `path`
            (``"./*.png"``); an empty list says that what looks like masks are images of their class.

    Raises:
        DataError: the fractions leave no training images.
    """
    if validation + test >= 1:
        raise DataError(f"{path}: validation = {validation} and test = {test} leave no images for training")
    name = title or path.name
    return FolderDataset(
        context, path, size, task, validation, test, seed, colour, name, licence, source, splits, classes, leave_out
    )
