"""Images that are in a data set more than once: a test on what was trained on measures memory."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.groups import shared_line
from medssl_bench.datasets.parts import Part
from medssl_bench.datasets.sealed import keep_sealed, read_sealed
from medssl_bench.datasets.turns import turned_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import DatasetInfo

_REVISION = 2
"""Raise it when something else is found than before."""


@dataclass(frozen=True)
class Copies:
    """What the parts of a data set share.

    Attributes:
        warnings: a line for each pair of parts that share images or groups: it makes numbers too good.
        notes: a line for each part that has images twice, and for what the training images share with the unlabelled.
        leaked: places of the test images that another part has too, ascending.
    """

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    leaked: tuple[int, ...] = ()


def shared_between(parts: Sequence[Part], digests: Sequence[NDArray[np.uint64]]) -> Copies:
    """Find images with the same pixels, turned and mirrored ones too, and groups (of a patient, say) in two parts.

    Args:
        parts: of one data set.
        digests: what `turned_digests` gives for the images of each.
    """
    warnings: list[str] = []
    notes: list[str] = []
    for (first, own), (second, others) in combinations(zip(parts, digests, strict=True), 2):
        lines = warnings if first.leaks_into(second) else notes
        lines += _shared(first, second, own, others)
        if groups := _shared_groups(first, second):
            lines.append(shared_line(groups, first.word, second.word))
    notes += [line for part, own in zip(parts, digests, strict=True) if (line := _within(part, own))]
    return Copies(tuple(warnings), tuple(notes), _leaked(parts, digests))


def _leaked(parts: Sequence[Part], digests: Sequence[NDArray[np.uint64]]) -> tuple[int, ...]:
    """Return the places of the test images that another part has too."""
    for test, own in zip(parts, digests, strict=True):
        if test.name == "test":
            others = [found for part, found in zip(parts, digests, strict=True) if part is not test]
            return tuple(np.flatnonzero(np.isin(own, np.concatenate(others))).tolist()) if others else ()
    return ()


def copies_key(key: str, info: DatasetInfo) -> str:
    """Return the key of what a data set shares, from that of its splits: its images without labels have their own."""
    return f"{key} {info.unlabelled_fingerprint}".strip()


def known_copies(key: str, load: Callable[[], Sequence[Part]], cache_dir: Path) -> Copies:
    """Return what `shared_between` says, which is looked for once for each key, and the near copies that are known.

    Args:
        key: changes with the data set and its content.
        load: gives its images; called where the answer is not known.
        cache_dir: where the answer is remembered.
    """
    place = _place(key, cache_dir)
    kept = read_sealed(place, key)
    found = {} if kept is None else json.loads(kept)
    if "leaked" in found:  # older versions kept the lines alone
        copies = Copies(tuple(found["warnings"]), tuple(found["notes"]), tuple(found["leaked"]))
    else:
        parts = load()
        copies = shared_between(parts, turned_digests([part.images for part in parts]))
        keep_sealed(place, key, json.dumps(asdict(copies)).encode())
    near = read_sealed(_place(_near(key), cache_dir), _near(key))
    return copies if near is None else replace(copies, warnings=(*copies.warnings, *json.loads(near)))


def remember_near_copies(key: str, lines: Sequence[str], cache_dir: Path) -> None:
    """Keep what `data check` says of near copies in two parts, so that `known_copies` says it from now on."""
    keep_sealed(_place(_near(key), cache_dir), _near(key), json.dumps(list(lines)).encode())


def _near(key: str) -> str:
    return f"near {key}"


def _place(key: str, cache_dir: Path) -> Path:
    return cache_dir / "copies" / f"{hashlib.sha256(f'{_REVISION} {key}'.encode()).hexdigest()}.json"


def _shared(first: Part, second: Part, own: NDArray[np.uint64], others: NDArray[np.uint64]) -> list[str]:
    """Return a line on the images of the second part that the first has too."""
    shared = np.isin(others, own)
    if not shared.any():
        return []
    differ = 0
    if first.labels is not None and second.labels is not None:
        labels = dict(zip(own.tolist(), first.labels.tolist(), strict=True))
        pairs = zip(others[shared].tolist(), second.labels[shared].tolist(), strict=True)
        differ = sum(labels[digest] != label for digest, label in pairs)
    number, total = int(shared.sum()), len(shared)
    are = "is a copy" if number == 1 else "are copies"
    return [f"{number:,} of {total:,} {second.word} images {are} of {first.word} images{_labelled(differ)}"]


def _within(part: Part, digests: NDArray[np.uint64]) -> str:
    """Return a line on the images that a part has twice."""
    _, first, which = np.unique(digests, return_index=True, return_inverse=True)
    again = len(digests) - len(first)
    if not again:
        return ""
    differ = 0 if part.labels is None else int((part.labels != part.labels[first[which]]).any(axis=1).sum())
    are = "is a copy" if again == 1 else "are copies"
    return f"{again:,} of {len(digests):,} {part.word} images {are} of others of the split{_labelled(differ)}"


def _labelled(differ: int) -> str:
    return f", {differ:,} under another label" if differ else ""


def _shared_groups(first: Part, second: Part) -> int:
    if first.groups is None or second.groups is None:
        return 0
    return len(np.intersect1d(first.groups, second.groups))
