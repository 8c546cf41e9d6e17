"""The images of a table: which there are, with which labels, in which split and of which group."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.datasets.base import SPLITS, Task
from medssl_bench.datasets.folder.image_cache import all_in_file
from medssl_bench.datasets.labels import label_note
from medssl_bench.datasets.table.labels import Rules, TableLabels, read_labels
from medssl_bench.datasets.table.reading import Table, read_table
from medssl_bench.datasets.table.rows import beside, filtered, image_names, without_missing, without_repeats
from medssl_bench.datasets.table.splits import Places, given_splits, refuse_shared_groups, split_places
from medssl_bench.datasets.table.unlabelled import UnlabelledRows, unlabelled_rows
from medssl_bench.datasets.table.wishes import Wishes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName


@dataclass(frozen=True)
class TableListing:
    """The images of a table, in the order of its rows.

    Attributes:
        root: the folder that names start from.
        names: paths of the images relative to it, with forward slashes.
        table_labels: their labels.
        groups: a number for each, equal for images of one group; or None.
        places: of each split's images.
        notes: what was understood and what was left out, for people.
        unlabelled: the images of rows without a label; None: there are none.
    """

    root: Path
    names: tuple[str, ...]
    table_labels: TableLabels
    groups: NDArray[np.int64] | None
    places: Places
    notes: tuple[str, ...]
    unlabelled: UnlabelledRows | None = None

    @property
    def labels(self) -> list[int]:
        """One number for each image: its class, or the rarest of its labels."""
        return self.table_labels.strata()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of these numbers."""
        return self.table_labels.classes

    def class_counts(self, split: SplitName) -> tuple[int, ...]:
        """Return the number of images of each class in a split, or of each label."""
        numbers = self.table_labels.numbers[self.places[split]]
        if self.table_labels.task is not Task.MULTI_LABEL:
            return tuple(int(count) for count in np.bincount(numbers[:, 0], minlength=len(self.classes)))
        return tuple(int(count) for count in numbers.sum(axis=0))

    def label_notes(self) -> list[str]:
        """Return how many images of each split have each label of a multi-label set."""
        numbers = self.table_labels.numbers
        return [label_note(split, self.classes, numbers[self.places[split]]) for split in SPLITS]

    def reading(self) -> list[Any]:
        """Return what the table says of the images, as JSON-able data."""
        groups = None if self.groups is None else self.groups.tolist()
        places = [self.places[split].tolist() for split in SPLITS]
        labels = self.table_labels
        return [labels.task, labels.classes, labels.numbers.tolist(), groups, places]


def list_table(
    path: Path, wishes: Wishes, rules: Rules, draw: tuple[float, float, int], cache_dir: Path
) -> TableListing:
    """List the images of a table.

    Args:
        path: the table.
        wishes: what its columns are.
        rules: what its labels mean.
        draw: fraction of validation, of test, and the seed.
        cache_dir: where a list of missing images is written.

    Raises:
        DataError: something in it is not clear.
    """
    table = read_table(path, wishes.image)
    all_rows = table
    table, notes = filtered(table, wishes.where)
    labels = read_labels(table, wishes.label, rules)
    blank, table = table.taken(labels.unlabelled), table.taken(labels.kept)
    given: list[SplitName | None] | None = None
    if wishes.split is not None:
        given, more = given_splits(table, wishes.split, wishes.splits)
        notes += more
    groups = None if wishes.group is None else _groups(table, wishes.group)
    names = image_names(table, wishes.image, wishes.root, wishes.ending, wishes.folders)
    chosen = [place for place in range(len(table)) if given is None or given[place] is not None]
    told = partial(all_in_file, path.stem, cache_dir)
    present = without_missing(
        table.taken(chosen),
        [names[place] for place in chosen],
        wishes.root,
        wishes.image,
        leave_out=wishes.leave_out_missing,
        told=told,
    )
    kept = [chosen[place] for place in present]
    same = [
        (labels.numbers[place].tolist(), given and given[place], None if groups is None else int(groups[place]))
        for place in kept
    ]
    once = without_repeats(table.taken(kept), [names[place] for place in kept], same, wishes.image)
    rows = [kept[place] for place in once]
    notes += [
        *labels.notes,
        *_left(len(chosen) - len(kept), "image is not there"),
        *_left(len(kept) - len(rows), "again"),
    ]
    found = TableLabels(labels.task, labels.classes, labels.numbers[rows], rows)
    own_groups = None if groups is None else np.unique(groups[rows], return_inverse=True)[1].astype(np.int64)
    own_given = None if given is None else [split for place in rows if (split := given[place]) is not None]
    table = table.taken(rows)
    validation, test, seed = draw
    places = split_places(table, own_given, found.strata(), own_groups, validation=validation, test=test, seed=seed)
    if own_groups is not None and wishes.group is not None:
        if not wishes.shared_groups:
            refuse_shared_groups(table, places, own_groups, wishes.group)
        notes.append(f"{len(np.unique(own_groups)):,} groups by {wishes.group!r}")
    notes += _drawn(Counter(own_given or ()), wishes.group)
    every = image_names(all_rows, wishes.image, wishes.root, wishes.ending, wishes.folders)
    read = tuple(names[place] for place in rows)
    unlabelled = None
    if len(blank):
        unlabelled, more = unlabelled_rows(blank, wishes, table, read, own_groups, places, told)
        notes += more
    notes += beside(wishes.root, read, every)
    return TableListing(wishes.root, read, found, own_groups, places, tuple(notes), unlabelled)


def _groups(table: Table, column: str) -> NDArray[np.int64]:
    """Return a number for each row; the names of the groups go no further."""
    texts = table.column(column, "group")
    for place, text in enumerate(texts):
        if not text:
            raise table.error(place, column, "blank; every image needs its group (a patient, say)")
    return np.unique(texts, return_inverse=True)[1].astype(np.int64)


def _left(number: int, why: str) -> list[str]:
    if not number:
        return []
    if why == "again":
        return [f"{number:,} rows name an image again, with the same label; it is read once"]
    return [f"left out: {number:,} rows whose {why}"]


def _drawn(given: Counter[SplitName], group: str | None) -> list[str]:
    drawn = [split for split in ("val", "test") if not given[split]]
    how = "class by class" if group is None else f"by {group!r}, none of which is in two splits"
    return [f"drawn from the training images, {how}: {' and '.join(drawn)}"] if drawn else []
