"""All that is looked for in the images of a data set, and what was found."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.audit.near import FLOOR, Pairs, near_pairs
from medssl_bench.datasets.audit.shelf import Shelf
from medssl_bench.datasets.audit.singles import single_images
from medssl_bench.datasets.audit.threshold import own_threshold
from medssl_bench.datasets.copies import shared_between
from medssl_bench.datasets.turns import turn_between, turned_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import DatasetInfo
    from medssl_bench.datasets.parts import Part


@dataclass(frozen=True)
class Audit:
    """What was found in a data set.

    Attributes:
        leaks: a line for each way in which images reach from one part to another: it makes numbers too good.
        near_leaks: those of them that are of near copies.
        notes: a line for each other thing that people should know.
        copies: pairs with the same pixels, turned or mirrored ones too; each image with the first of its kind.
        near: pairs that are as alike as one image stored twice, by the threshold of this set.
        look_alikes: pairs that are less alike than that, down to `FLOOR`.
        threshold: likeness from which pairs are near copies.
        singles: numbers of the images that show nothing or little, by what they are.
        shelf: the images.
    """

    leaks: tuple[str, ...]
    near_leaks: tuple[str, ...]
    notes: tuple[str, ...]
    copies: Pairs
    near: Pairs
    look_alikes: Pairs
    threshold: float
    singles: dict[str, NDArray[np.int64]]
    shelf: Shelf


def audit(
    info: DatasetInfo, parts: Sequence[Part], report: Callable[[int, int], None] = lambda _done, _total: None
) -> Audit:
    """Look for copies, near copies, shared groups, classes that are missing, and images that show nothing.

    Args:
        info: what the data set says of itself.
        parts: its splits, and its images without labels; at least one image.
        report: called with the work done and the work there is, while pairs are looked for.
    """
    shelf = Shelf(parts)
    digests = turned_digests([part.images for part in parts])
    shared = shared_between(parts, digests)
    copies, first = _exact(shelf, np.concatenate(digests))
    singles = single_images(shelf)
    pairs = near_pairs(shelf, np.setdiff1d(first, singles["constant"]), report)
    threshold = own_threshold(pairs, shelf.labels)
    near, others = pairs.where(pairs.likeness >= threshold), pairs.where(pairs.likeness < threshold)
    leaks, notes = _near_lines(shelf, near)
    return Audit(
        leaks=(*shared.warnings, *leaks),
        near_leaks=tuple(leaks),
        notes=(
            *shared.notes, *notes, *_conflicts(shelf, copies, near), *_missing(info, parts),
            *_single_lines(shelf, singles),
            *_alike_lines(others, threshold),
        ),
        copies=copies,
        near=near.by_likeness(),
        look_alikes=others.by_likeness(),
        threshold=threshold,
        singles=singles,
        shelf=shelf,
    )  # fmt: skip


def _exact(shelf: Shelf, digests: NDArray[np.uint64]) -> tuple[Pairs, NDArray[np.int64]]:
    """Return each copy with the first image of its pixels, and the numbers of these first images."""
    _, first, which = np.unique(digests, return_index=True, return_inverse=True)
    again = np.setdiff1d(np.arange(len(digests)), first)
    origin = first[which[again]]
    turns = [turn_between(shelf.image(one), shelf.image(other)) for one, other in zip(origin, again, strict=True)]
    turn = np.array([0 if found is None else found for found in turns], np.int64)
    return Pairs(origin, again, np.ones(len(again), np.float32), turn), np.sort(first)


def _near_lines(shelf: Shelf, near: Pairs) -> tuple[list[str], list[str]]:
    """Return a line for each two parts with near copies of each other, and one for each part that has some within."""
    leaks: list[str] = []
    notes: list[str] = []
    one, other = shelf.part_of[near.first], shelf.part_of[near.second]
    for a, b in combinations(range(len(shelf.parts)), 2):
        first, second = shelf.parts[a], shelf.parts[b]
        if number := len(np.unique(near.second[(one == a) & (other == b)])):
            lines = leaks if first.leaks_into(second) else notes
            are = "is a near copy" if number == 1 else "are near copies"
            lines.append(f"{number:,} of {len(second):,} {second.word} images {are} of {first.word} images")
    for a, part in enumerate(shelf.parts):
        if number := len(np.unique(near.second[(one == a) & (other == a)])):
            are = "is a near copy" if number == 1 else "are near copies"
            notes.append(f"{number:,} of {len(part):,} {part.word} images {are} of others of the split")
    return leaks, notes


def _conflicts(shelf: Shelf, copies: Pairs, near: Pairs) -> list[str]:
    """Return a line on pairs of copies with two labels."""
    pairs = Pairs.joined([copies, near])
    one, other = shelf.labels[pairs.first], shelf.labels[pairs.second]
    number = int(((one != other) & (one >= 0) & (other >= 0)).sum())
    have = "1 pair of copies or near copies has" if number == 1 else f"{number:,} pairs of copies or near copies have"
    return [f"{have} two labels: one of them is wrong"] if number else []


def _missing(info: DatasetInfo, parts: Sequence[Part]) -> list[str]:
    """Return a line for each split without images of a class, or of a label of a multi-label set."""
    lines = []
    for part in parts:
        if part.labels is None:
            continue
        several = part.labels.shape[1] > 1
        there = np.flatnonzero(part.labels.any(axis=0)) if several else np.unique(part.labels)
        absent = [repr(name) for number, name in enumerate(info.classes) if number not in there]
        if absent:
            lines.append(f"the {part.name} split has no image of {', '.join(absent)}")
    return lines


def _single_lines(shelf: Shelf, singles: dict[str, NDArray[np.int64]]) -> list[str]:
    words = {"constant": "of one value", "enlarged": "without fine detail, as a small file that was enlarged"}
    lines = []
    for kind, numbers in singles.items():
        for a, part in enumerate(shelf.parts):
            if number := int((shelf.part_of[numbers] == a).sum()):
                are = "is" if number == 1 else "are"
                lines.append(f"{number:,} of {len(part):,} {part.word} images {are} {words.get(kind, kind)}")
    return lines


def _alike_lines(others: Pairs, threshold: float) -> list[str]:
    if not len(others):
        return []
    pairs = "1 pair looks" if len(others) == 1 else f"{len(others):,} pairs look"
    return [f"{pairs} alike, with a likeness from {FLOOR} to {threshold:.3f}: different images of this set do, too"]
