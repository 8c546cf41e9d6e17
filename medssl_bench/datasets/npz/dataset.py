"""Data sets of the user's own in MedMNIST's file layout."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from medssl_bench.datasets.base import Dataset, DatasetInfo, Task
from medssl_bench.errors import DataError, printable
from medssl_bench.plugin.content import file_digest
from medssl_bench.plugin.parameters import AddedLater

if TYPE_CHECKING:
    from medssl_bench.datasets.base import DatasetContext, Images, Splits
    from medssl_bench.datasets.npz.layout import Layout


@dataclass(frozen=True)
class NpzDataset(Dataset):
    """An npz file with ``train_images``, ``train_labels``, ``val_...`` and ``test_...``; see `npz` for the fields."""

    context: DatasetContext
    path: Path
    task: str | None
    classes: list[str] | None
    title: str
    licence: str
    source: str
    shared_groups: bool = False

    def info(self) -> DatasetInfo | None:
        """Read the labels and the headers of the images; None where there is no file.

        That the images can be read, too, is looked at once for each state of the file.

        Raises:
            DataError: the file is not what it must be.
        """
        from medssl_bench.datasets.digests import remembered_of
        from medssl_bench.datasets.npz.layout import check_images

        listed = self.outline()
        if listed is None:
            return None
        what = "notes on npz with unlabelled images" if listed.unlabelled else "notes on npz"
        notes = remembered_of(self.path, what, self.context.cache_dir, lambda: json.dumps(check_images(self.path)))
        return replace(listed, notes=tuple(json.loads(notes)))

    def outline(self) -> DatasetInfo | None:
        """Read the labels, and of the images their headers alone."""
        if not self.path.exists():
            return None
        from medssl_bench.datasets.groups import group_counts, require_apart
        from medssl_bench.datasets.npz.groups import read_groups
        from medssl_bench.datasets.npz.layout import read_layout

        self._require_file()
        layout = read_layout(self.path)
        info = self._info(layout)
        if groups := read_groups(self.path, info.counts, info.unlabelled):
            warnings = require_apart(str(self.path), groups.numbers, groups.names, allowed=self.shared_groups)
            info = replace(info, group_counts=group_counts(groups.numbers), warnings=tuple(warnings))
        return info

    def _info(self, layout: Layout) -> DatasetInfo:
        from medssl_bench.datasets.labels import class_counts, read_labels

        task, classes = read_labels(str(self.path), layout.labels, self.task, self.classes)
        has_classes = task is not Task.MULTI_LABEL
        return DatasetInfo(
            title=self.title,
            task=task,
            classes=classes,
            channels=layout.channels,
            size=layout.size,
            counts=layout.counts,
            unlabelled=layout.unlabelled,
            licence=self.licence,
            source=self.source,
            class_counts=class_counts(layout.labels["train"], classes) if has_classes else None,
            val_class_counts=class_counts(layout.labels["val"], classes) if has_classes else None,
            test_class_counts=class_counts(layout.labels["test"], classes) if has_classes else None,
        )

    def fingerprint(self) -> str | None:
        """Return the SHA-256 of the file, or None where there is no file."""
        digest = file_digest(self.path)
        return f"sha256:{digest}" if digest else None

    def load(self) -> Splits:
        """Read the file.

        Raises:
            DataError: it is not there, or not what it must be.
        """
        from medssl_bench.datasets.npz.groups import read_groups
        from medssl_bench.datasets.npz.layout import read_splits

        self._require_file()
        info = self.info()
        splits = read_splits(self.path)
        if info and (groups := read_groups(self.path, info.counts, info.unlabelled)):
            return {split: replace(part, groups=groups.numbers[split]) for split, part in splits.items()}
        return splits

    def load_unlabelled(self) -> Images:
        """Read the array ``unlabelled_images``; errors as of `load`."""
        from medssl_bench.datasets.npz.groups import read_groups
        from medssl_bench.datasets.npz.layout import read_unlabelled

        self._require_file()
        info = self.info()
        found = read_unlabelled(self.path)
        groups = read_groups(self.path, info.counts, info.unlabelled) if info else None
        return replace(found, groups=groups.unlabelled) if groups else found

    def _require_file(self) -> None:
        if self.path.is_dir():
            raise DataError(f"{self.path}: a folder, not an npz file; images in folders are the data set 'folder'")
        if not self.path.exists():
            raise DataError(f"{self.path}: there is no such file; correct 'path' of the data set 'npz'")
        if not self.path.is_file():  # reading it might never end
            raise DataError(f"{self.path}: not a file, but a pipe or a device; correct 'path' of the data set 'npz'")


def npz(
    context: DatasetContext,
    *,
    path: Path,
    task: Literal["multi-class", "binary", "ordinal", "multi-label"] | None = None,
    classes: list[str] | None = None,
    title: str | None = None,
    licence: str = "unknown",
    source: str = "",
    shared_groups: Annotated[bool, AddedLater(False)] = False,
) -> NpzDataset:
    """A file of one's own in MedMNIST's layout.

    The file holds the arrays ``train_images``, ``train_labels``, ``val_images``, ``val_labels``, ``test_images`` and
    ``test_labels``. Images are uint8, (N, size, size) for grey ones or (N, size, size, 3) for RGB. Labels are integers:
    (N,) or (N, 1) with class numbers from 0, or (N, L) with a column of 0 and 1 for each label of a multi-label set.
    It may also hold ``unlabelled_images``, on which recipes pretrain.

    It may also hold ``train_groups``, ``val_groups`` and ``test_groups``, (N,) integers or texts: which images belong
    together, such as those of one patient. Splits that share a group are refused. With ``unlabelled_groups`` beside
    them, tables are marked where unlabelled images are of groups that are tested.

    Args:
        context: whose `cache_dir` remembers which files have been read through.
        path: the file; a relative path starts from the suite's folder.
        task: what the labels mean; if left out, several columns mean multi-label, two classes binary, else multi-class.
        classes: names of the classes (or of the columns), in order; if left out, their numbers.
        title: name for people; if left out, the file's name.
        licence: licence of the images, for tables and figures made of them.
        source: citation or address of the data.
        shared_groups: whether splits may share groups; then every table says how many they share.
    """
    return NpzDataset(context, path, task, classes, title or printable(path.stem), licence, source, shared_groups)
