"""Data sets of the user's own as images in class folders."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from medssl_bench.datasets.base import ONE_CLASS, SPLITS, DatasetInfo, Images, Split, SplitName, Task
from medssl_bench.datasets.folder.file_dataset import FileDataset
from medssl_bench.datasets.pixel_choices import Choices
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import DatasetContext, Splits
    from medssl_bench.datasets.folder.listing import Listing


@dataclass(frozen=True)
class FolderDataset(FileDataset):
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
    groups: str | None = None
    shared_groups: bool = False
    negative: str | None = None
    choices: Choices = Choices()  # noqa: RUF009 - it is frozen

    @cached_property
    def _listing(self) -> Listing:
        from medssl_bench.datasets.folder.layout import Wishes
        from medssl_bench.datasets.folder.listing import list_images
        from medssl_bench.datasets.folder.multi_label import with_several_labels

        splits = self.splits and {s: [names] if isinstance(names, str) else names for s, names in self.splits.items()}
        found = list_images(self.path, Wishes(splits, self.classes), self.leave_out)
        return with_several_labels(found, self.negative) if self.task == Task.MULTI_LABEL else found

    @cached_property
    def _places(self) -> dict[SplitName, NDArray[np.int64]]:
        from medssl_bench.datasets.folder.split import assign_splits

        return assign_splits(self._listing, self.validation, self.test, self.seed, self._groups)

    @cached_property
    def _group_names(self) -> list[str]:
        from medssl_bench.datasets.folder.patients import group_names

        return group_names(self._listing, self.groups) if self.groups else []

    @cached_property
    def _unlabelled_group_names(self) -> list[str]:
        """The names of the groups of the images without labels; none where no path of theirs has one."""
        from medssl_bench.datasets.folder.patients import group_names

        listing = self._listing.unlabelled
        return group_names(listing, self.groups, may_lack=True) if self.groups and listing else []

    @cached_property
    def _numbers(self) -> NDArray[np.int64]:
        from medssl_bench.datasets.groups import numbered

        return numbered([*self._group_names, *self._unlabelled_group_names])

    @property
    def _groups(self) -> NDArray[np.int64] | None:
        """Return the number of the group of each image, or None where the suite names none."""
        return self._numbers[: len(self._group_names)] if self.groups else None

    def _ungrouped(self) -> list[str]:
        """Return what is not known of the patients of images without labels."""
        if not self.groups or self._unlabelled_group_names or self._listing.unlabelled is None:
            return []
        text = f"groups = {self.groups!r} finds none in the paths of the unlabelled images"
        return [f"{text}, so it is not known whether they are of groups that are tested"]

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

    def outline(self) -> DatasetInfo | None:
        """List the files, and decode none."""
        if not self.path.exists():
            return None
        classes = self._listing.classes
        task = Task(self.task) if self.task else Task.BINARY if len(classes) == 2 else Task.MULTI_CLASS
        if task is Task.BINARY and len(classes) != 2:
            raise DataError(f"{self.path}: has {len(classes)} classes; the task 'binary' needs two")
        one_label = task is not Task.MULTI_LABEL
        for split in SPLITS if one_label else ():
            if sum(count > 0 for count in self._class_counts(split)) < 2:
                raise DataError(f"{self.path}: all images of the {split} split have the same class; {ONE_CLASS}")
        groups, warnings = self._known_groups()
        unlabelled = self._listing.unlabelled
        return DatasetInfo(
            title=self.title,
            task=task,
            classes=classes,
            channels=self._channels,
            size=self.size,
            counts={split: len(self._places[split]) for split in SPLITS},
            licence=self.licence,
            source=self.source,
            class_counts=self._class_counts("train") if one_label else None,
            val_class_counts=self._class_counts("val") if one_label else None,
            test_class_counts=self._class_counts("test") if one_label else None,
            notes=(*self._listing.notes, *self._drawn(), *self._labelled(), *self._ungrouped()),
            warnings=(*self._parted(), *warnings),
            group_counts=groups,
            unlabelled=len(unlabelled.names) if unlabelled else 0,
        )

    def _known_groups(self) -> tuple[dict[SplitName, int] | None, list[str]]:
        """Return how many groups each split has, and a warning for each pair of splits that share some.

        Raises:
            DataError: two splits share a group, and the suite does not allow it.
        """
        from medssl_bench.datasets.groups import group_counts, require_apart

        if self._groups is None:
            return None, []
        groups = {split: self._groups[places] for split, places in self._places.items()}
        names = sorted({*self._group_names, *self._unlabelled_group_names})
        return group_counts(groups), require_apart(str(self.path), groups, names, allowed=self.shared_groups)

    def _parted(self) -> list[str]:
        """Return what is wrong with drawing by image, where folders show patients."""
        if self.groups or not self._listing.patients or not self._drawn():
            return []
        return [f"{self._listing.patients}, and splits are drawn by image: images of one patient are in several splits"]

    def _drawn(self) -> list[str]:
        """Return which splits were drawn, for people."""
        drawn = [split for split in ("val", "test") if split not in self._listing.found_in]
        how = "group by group" if self.groups else "class by class"
        return [f"drawn from the training images, {how}: {' and '.join(drawn)}"] if drawn else []

    def _class_counts(self, split: SplitName) -> tuple[int, ...]:
        found = Counter(self._listing.labels[place] for place in self._places[split])
        return tuple(found[label] for label in range(len(self._listing.classes)))

    def _labelled(self) -> list[str]:
        """Return how many images of each split have each label, where images have several."""
        from medssl_bench.datasets.labels import label_note

        if not self._listing.label_sets:
            return []
        numbers = self._listing.numbers()
        return [label_note(split, self._listing.classes, numbers[self._places[split]]) for split in SPLITS]

    def fingerprint(self) -> str | None:
        """Return the SHA-256 over the names and contents of the images, or None where there is no folder.

        If the names of the images do not show split and class, the way they are read is hashed too.

        Raises:
            DataError: a file cannot be read.
        """
        if not self.path.exists():
            return None
        from medssl_bench.datasets.folder.image_cache import contents_sha256

        digest, reading = (
            contents_sha256(self._listing, self._unreadable, self.context.cache_dir),
            self._listing.reading(),
        )
        return f"sha256:{digest}" if not reading else f"sha256:{digest}, read as {reading[:16]}"

    def image_names(self) -> dict[str, list[str]]:
        """Return the paths of the images below the folder, by split."""
        return {split: [self._listing.names[place] for place in places] for split, places in self._places.items()}

    def load(self) -> Splits:
        """Decode and resize the images, or take them from the cache.

        Raises:
            DataError: the folder is not there or not laid out as it must be, or files in it cannot be read.
        """
        self.info()
        images, labels, groups = self._read.images, self._listing.numbers(), self._groups
        return {
            split: Split(images[places], labels[places], None if groups is None else groups[places])
            for split, places in self._places.items()
        }

    def load_unlabelled(self) -> Images:
        """Return the images below ``unlabelled/``, a read-only memory map; errors as of `load`."""
        self.info()
        if self._read_unlabelled is None:
            return super().load_unlabelled()
        own = self._numbers[len(self._group_names) :] if self._unlabelled_group_names else None
        return Images(self._read_unlabelled.images, own)
