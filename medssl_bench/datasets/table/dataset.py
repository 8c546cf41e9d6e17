"""Data sets of the user's own as a table of images."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from medssl_bench.datasets.base import ONE_CLASS, SPLITS, DatasetInfo, Images, Split, Task
from medssl_bench.datasets.folder.file_dataset import FileDataset
from medssl_bench.datasets.pixel_choices import Choices
from medssl_bench.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import DatasetContext, Splits
    from medssl_bench.datasets.table.labels import Rules
    from medssl_bench.datasets.table.listing import TableListing
    from medssl_bench.datasets.table.wishes import Wishes


@dataclass(frozen=True)
class TableDataset(FileDataset):
    """Images that a table names; see `table` for the fields."""

    context: DatasetContext
    path: Path
    wishes: Wishes
    rules: Rules
    draw: tuple[float, float, int]
    size: int
    colour: Literal["auto", "grey", "rgb"]
    choices: Choices
    title: str
    licence: str
    source: str

    @cached_property
    def _listing(self) -> TableListing:
        from medssl_bench.datasets.table.listing import list_table

        return list_table(self.path, self.wishes, self.rules, self.draw, self.context.cache_dir)

    @cached_property
    def _channels(self) -> int:
        """With ``colour = "auto"``, 3 if the first training image of any class is in colour."""
        if self.colour != "auto":
            return 1 if self.colour == "grey" else 3
        from medssl_bench.datasets.folder.unlabelled import is_colour

        first: dict[int, str] = {}
        for place in self._listing.places["train"]:
            name = self._listing.names[place]
            if name not in self._unreadable:
                first.setdefault(self._listing.labels[place], name)
        return 3 if is_colour(self._listing.root, list(first.values())) else 1

    def _unlabelled_fingerprint(self) -> str:
        """Return that of the files, and of their groups."""
        digest, rows = super()._unlabelled_fingerprint(), self._listing.unlabelled
        if rows is None or rows.groups is None:
            return digest
        return f"{digest}, of groups {hashlib.sha256(rows.groups.tobytes()).hexdigest()[:16]}"

    def outline(self) -> DatasetInfo | None:
        """Read the table, and decode no image."""
        if not self.path.exists():
            return None
        from medssl_bench.datasets.groups import group_counts

        listing, groups = self._listing, self._listing.groups
        one_label = listing.table_labels.task is not Task.MULTI_LABEL
        counts = {split: listing.class_counts(split) for split in SPLITS}
        for split in SPLITS:
            if one_label and sum(count > 0 for count in counts[split]) < 2:
                raise DataError(f"{self.path}: all images of the {split} split have the same class; {ONE_CLASS}")
        return DatasetInfo(
            title=self.title,
            task=listing.table_labels.task,
            classes=listing.table_labels.classes,
            channels=self._channels,
            size=self.size,
            counts={split: len(listing.places[split]) for split in SPLITS},
            licence=self.licence,
            source=self.source,
            class_counts=counts["train"] if one_label else None,
            val_class_counts=counts["val"] if one_label else None,
            test_class_counts=counts["test"] if one_label else None,
            notes=(*listing.notes, *([] if one_label else listing.label_notes())),
            group_counts=None if groups is None else group_counts({s: groups[listing.places[s]] for s in SPLITS}),
            unlabelled=len(listing.unlabelled.names) if listing.unlabelled else 0,
        )

    def fingerprint(self) -> str | None:
        """Return the SHA-256 over the images and over what the table says of them, or None where there is no table.

        Raises:
            DataError: a file cannot be read.
        """
        if not self.path.exists():
            return None
        from medssl_bench.datasets.folder.image_cache import contents_sha256

        digest = contents_sha256(self._listing, self._unreadable, self.context.cache_dir)
        reading = hashlib.sha256(json.dumps(self._listing.reading()).encode()).hexdigest()
        return f"sha256:{digest}, read as {reading[:16]}"

    def image_names(self) -> dict[str, list[str]]:
        """Return the paths of the images below `root`, by split."""
        listing = self._listing
        return {split: [listing.names[place] for place in listing.places[split]] for split in SPLITS}

    def load(self) -> Splits:
        """Decode and resize the images, or take them from the cache.

        Raises:
            DataError: as `info`, or there is no table.
        """
        if self.info() is None:
            raise DataError(f"{self.path}: there is no such file; correct 'path' of the data set 'table'")
        listing, images = self._listing, self._read.images
        groups = listing.groups

        def split_of(places: NDArray[np.int64]) -> Split:
            own = None if groups is None else groups[places]
            return Split(images[places], listing.table_labels.numbers[places], own)

        return {split: split_of(listing.places[split]) for split in SPLITS}

    def load_unlabelled(self) -> Images:
        """Return the images of rows without a label, a read-only memory map; errors as of `load`."""
        if self.info() is None or self._read_unlabelled is None or self._listing.unlabelled is None:
            return super().load_unlabelled()
        return Images(self._read_unlabelled.images, self._listing.unlabelled.groups)
