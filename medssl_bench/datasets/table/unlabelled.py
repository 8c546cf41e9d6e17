"""Rows of a table that have no label: their images are pretrained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.folder.names import plain, split_named
from medssl_bench.datasets.folder.unlabelled import CLASSES, UNLABELLED_NAMES
from medssl_bench.datasets.table.rows import image_names, without_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.table.reading import Table
    from medssl_bench.datasets.table.splits import Places
    from medssl_bench.datasets.table.wishes import Wishes


@dataclass(frozen=True)
class UnlabelledRows:
    """Images without labels, as files.

    Attributes:
        root: the folder that names start from.
        names: paths of the images relative to it, with forward slashes.
        groups: a number for each; those of the labelled images have theirs. None: the suite names no groups.
    """

    root: Path
    names: tuple[str, ...]
    groups: NDArray[np.int64] | None

    @property
    def labels(self) -> tuple[int, ...]:
        """One number for all."""
        return (0,) * len(self.names)

    @property
    def classes(self) -> tuple[str, ...]:
        """What messages call them."""
        return CLASSES


def unlabelled_rows(
    blank: Table,
    wishes: Wishes,
    labelled: Table,
    names: Sequence[str],
    groups: NDArray[np.int64] | None,
    places: Places,
    told: Callable[[list[str]], str],
) -> tuple[UnlabelledRows | None, list[str]]:
    """Return the images of rows without a label, and notes on them.

    Left out are images that another row gives a label, those of a group (a patient) with validation or test images,
    as a network that has learned from other images of a patient is no longer tested on a new one, and those that the
    table gives to another split than training.

    Args:
        blank: the rows without a label.
        wishes: what the suite says of the columns.
        labelled: the rows with one.
        names: of the images of `labelled`.
        groups: of the images of `labelled`, or None.
        places: of the images of each split among `labelled`.
        told: writes all that are missing into a file, and says where.

    Raises:
        DataError: an image is not there, and is not to be left out; or a row has no group.
    """
    notes = [f"{len(blank):,} rows without a label"]
    if wishes.split is not None:
        trained = [place for place in range(len(blank)) if _is_for_training(blank.columns[wishes.split][place], wishes)]
        if left := len(blank) - len(trained):
            notes.append(f"left out: {left:,} images without a label, of other splits than training")
        blank = blank.taken(trained)
    own = image_names(blank, wishes.image, wishes.root, wishes.ending, wishes.folders)
    present = without_missing(blank, own, wishes.root, wishes.image, leave_out=wishes.leave_out_missing, told=told)
    known = set(names)
    once = {own[place]: place for place in reversed(present) if own[place] not in known}
    rows = sorted(once.values())
    numbers: NDArray[np.int64] | None = None
    if wishes.group is not None and groups is not None:
        kept, numbers = _apart(blank.taken(rows), labelled, wishes.group, groups, places)
        if left := len(rows) - len(kept):
            notes.append(f"left out: {left:,} images without a label, of groups with validation or test images")
        rows = [rows[place] for place in kept]
    return (UnlabelledRows(wishes.root, tuple(own[place] for place in rows), numbers) if rows else None), notes


def _is_for_training(split: str, wishes: Wishes) -> bool:
    """Return whether a row without a label is of the training split, or of none."""
    if not split or plain(split) in UNLABELLED_NAMES:
        return True
    return split in wishes.splits.get("train", ()) if wishes.splits is not None else split_named(split) == "train"


def _apart(
    blank: Table, labelled: Table, column: str, groups: NDArray[np.int64], places: Places
) -> tuple[list[int], NDArray[np.int64]]:
    """Return the places of the rows whose group has no validation or test images, and the number of each one's group.

    Raises:
        DataError: a row has no group.
    """
    number = dict(zip(labelled.column(column, "group"), groups.tolist(), strict=True))
    tested = set(groups[np.concatenate([places["val"], places["test"]])].tolist())
    texts = blank.column(column, "group")
    for place, text in enumerate(texts):
        if not text:
            raise blank.error(place, column, "blank; every image needs its group (a patient, say)")
    for text in sorted(set(texts) - set(number)):
        number[text] = len(number)
    kept = [place for place, text in enumerate(texts) if number[text] not in tested]
    return kept, np.array([number[texts[place]] for place in kept], np.int64)
