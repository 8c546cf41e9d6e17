"""Which rows of a table are for training, validation and test: as a column says, or drawn."""

from __future__ import annotations

from collections import Counter
from math import floor
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.folder.names import split_named
from medssl_bench.datasets.grouped_splits import drawn_splits
from medssl_bench.errors import DataError
from medssl_bench.randomness import generator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.table.reading import Table

Places = dict["SplitName", "NDArray[np.int64]"]


def given_splits(
    table: Table, column: str, meanings: Mapping[SplitName, Sequence[str]] | None
) -> tuple[list[SplitName | None], list[str]]:
    """Return the split that a column gives each row, None for those in no split, and notes.

    Args:
        table: the rows.
        column: that has the splits.
        meanings: the values of each split; None: by their names, as folders of splits are called.

    Raises:
        DataError: a value is not known, or there are no rows for training.
    """
    texts = table.column(column, "split")
    known = _by_value(table, column, texts, meanings) if meanings is not None else None
    notes = []
    found: list[SplitName | None] = []
    for place, text in enumerate(texts):
        split = split_named(text) if known is None else known.get(text)
        if split is None and known is None:
            what = f"{text!r} is not the name of a split" if text else "blank"
            example = ", ".join(f'"{value}"' for value in sorted(set(texts) - {""})[:3])
            raise table.error(place, column, f"{what}; say splits = {{ train = [...], test = [...] }} of {example}")
        found.append(split)
    counts = Counter(found)
    if not counts["train"]:
        raise DataError(f"{table.path}: column {column!r}: no row is for training; say splits = {{ train = [...] }}")
    if counts[None]:
        notes.append(f"left out: {counts[None]:,} rows whose {column!r} is in no split")
    said = {text: split for text, split in zip(texts, found, strict=True) if split is not None and text != split}
    if said and meanings is None:
        notes.append(f"read {', '.join(f'{text!r} as {split}' for text, split in list(said.items())[:5])}")
    return found, notes


def _by_value(
    table: Table, column: str, texts: Sequence[str], meanings: Mapping[SplitName, Sequence[str]]
) -> dict[str, SplitName]:
    known: dict[str, SplitName] = {}
    for split, values in meanings.items():
        for value in values:
            if known.setdefault(value, split) != split:
                raise DataError(f"{table.path}: 'splits' names {value!r} for {known[value]} and for {split}")
            if value not in texts:
                raise DataError(f"{table.path}: 'splits': column {column!r} has no {value!r}")
    return known


def split_places(
    table: Table,
    given: Sequence[SplitName] | None,
    strata: Sequence[int],
    groups: NDArray[np.int64] | None,
    *,
    validation: float,
    test: float,
    seed: int,
) -> Places:
    """Return the places of each split's rows: those that are given stay, the others are drawn from the training rows.

    Args:
        table: the rows that are read.
        given: the split of each; None: all are for training, so far.
        strata: a number for each row, whose proportions are kept.
        groups: a number for each row, whose rows stay together; None: there are none.
        validation: fraction of the training rows that becomes the validation split, where there is none.
        test: the same of the test split.
        seed: of the draw.

    Raises:
        DataError: a split would be empty.
    """
    found_in = np.array(given if given is not None else ["train"] * len(table))
    places: Places = {split: np.flatnonzero(found_in == split) for split in SPLITS}
    fractions: dict[SplitName, float] = {"test": test, "val": validation}
    wanted = {split: fraction for split, fraction in fractions.items() if not len(places[split])}
    pool = places["train"]
    if wanted:
        try:
            drawn = drawn_places(np.asarray(strata)[pool], None if groups is None else groups[pool], seed, wanted)
        except DataError as error:
            raise DataError(f"{table.path}: {error}") from None
        places |= {split: pool[own] for split, own in drawn.items()}
    for split in SPLITS:
        if not len(places[split]):
            option = "validation" if split == "val" else "test"
            raise DataError(
                f"{table.path}: the {split} split is empty; raise the fraction '{option}', or give a column"
            )
    return places


def drawn_places(
    labels: NDArray[np.int64], groups: NDArray[np.int64] | None, seed: int, fractions: Mapping[SplitName, float]
) -> Places:
    """Return places of drawn splits and of what is left for training, each ascending.

    Without groups, each label gives its share, rounded half up, and keeps one row for training. With groups, whole
    groups are drawn.

    Args:
        labels: of each row, whose proportions are kept.
        groups: of each row; None: every row is one of its own.
        seed: of the draw.
        fractions: of all these rows, for each split that is drawn.

    Raises:
        DataError: there are fewer groups than splits.
    """
    if groups is not None:
        return drawn_splits(labels[:, None], groups, {"train": 1 - sum(fractions.values()), **fractions}, seed)
    parts: dict[SplitName, list[NDArray[np.int64]]] = {split: [] for split in (*fractions, "train")}
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        left = generator("table split", seed=seed, label=int(label)).permutation(own)
        for split, fraction in fractions.items():
            number = max(0, min(floor(fraction * len(own) + 0.5), len(left) - 1))
            parts[split].append(left[:number])
            left = left[number:]
        parts["train"].append(left)
    return {split: np.sort(np.concatenate(own)) for split, own in parts.items()}


def refuse_shared_groups(table: Table, places: Places, groups: NDArray[np.int64], column: str) -> None:
    """Refuse given splits that share a group.

    Raises:
        DataError: they do.
    """
    at = {int(group): split for split in SPLITS for group in groups[places[split]]}
    for split in SPLITS:
        odd = [place for place in places[split] if at[int(groups[place])] != split]
        if odd:
            other = at[int(groups[odd[0]])]
            shared = len(np.intersect1d(groups[places[split]], groups[places[other]]))
            raise table.error(
                int(odd[0]),
                column,
                f"its group has {split} and {other} images, as {shared:,} groups have: a test on patients who were "
                f"trained on is too good; leave out 'split' to draw splits by group, or say shared_groups = true",
            )
