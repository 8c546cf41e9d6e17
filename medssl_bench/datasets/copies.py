"""Images that are in a data set more than once: a test on what was trained on measures memory."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.groups import shared_groups, shared_lines
from medssl_bench.datasets.sealed import keep_sealed, read_sealed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from medssl_bench.datasets.base import Split, SplitName, Splits

_REVISION = 1
"""Raise it when something else is found than before."""

_WORDS: dict[SplitName, str] = {"train": "training", "val": "validation", "test": "test"}


@dataclass(frozen=True)
class Copies:
    """What the splits of a data set share.

    Attributes:
        warnings: a line for each pair of splits that share images or groups: it makes numbers too good.
        notes: a line for each split that has images twice.
    """

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def find_copies(splits: Splits) -> Copies:
    """Find images with the same pixels, and groups (of a patient, say) with images in two splits.

    An image takes 8 bytes here: its digest (64 bits of BLAKE2), so a collision among 236,000 images is very improbable.
    """
    digests = {name: _digests(splits[name].images) for name in SPLITS if name in splits}  # without labels, no splits
    warnings = []
    for first, second in combinations(digests, 2):
        warnings += _shared(first, second, splits, digests)
    warnings += shared_lines(shared_groups({name: splits[name].groups for name in digests}))
    notes = [line for name in digests if (line := _within(name, splits[name], digests[name]))]
    return Copies(tuple(warnings), tuple(notes))


def known_copies(key: str, load: Callable[[], Splits], cache_dir: Path) -> Copies:
    """Return what `find_copies` says, which is looked for once for each key.

    Args:
        key: changes with the data set and its content.
        load: gives its images; called where the answer is not known.
        cache_dir: where the answer is remembered.
    """
    place = cache_dir / "copies" / f"{hashlib.sha256(f'{_REVISION} {key}'.encode()).hexdigest()}.json"
    kept = read_sealed(place, key)
    if kept is not None:
        found = json.loads(kept)
        return Copies(tuple(found["warnings"]), tuple(found["notes"]))
    copies = find_copies(load())
    keep_sealed(place, key, json.dumps({"warnings": copies.warnings, "notes": copies.notes}).encode())
    return copies


def _digests(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    found = np.empty(len(images), np.uint64)
    for place, image in enumerate(images):
        digest = hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=8).digest()
        found[place] = int.from_bytes(digest, "little")
    return found


def _shared(
    first: SplitName, second: SplitName, splits: Splits, digests: dict[SplitName, NDArray[np.uint64]]
) -> list[str]:
    """Return a line on the images of the second split that the first has too."""
    shared = np.isin(digests[second], digests[first])
    if not shared.any():
        return []
    own = dict(zip(digests[first].tolist(), splits[first].labels.tolist(), strict=True))
    labels = zip(digests[second][shared].tolist(), splits[second].labels[shared].tolist(), strict=True)
    other = sum(own[digest] != label for digest, label in labels)
    number, total = int(shared.sum()), len(shared)
    are = "is a copy" if number == 1 else "are copies"
    return [f"{number:,} of {total:,} {_WORDS[second]} images {are} of {_WORDS[first]} images{_labelled(other)}"]


def _within(name: SplitName, split: Split, digests: NDArray[np.uint64]) -> str:
    """Return a line on the images that a split has twice."""
    _, first, which = np.unique(digests, return_index=True, return_inverse=True)
    again = len(digests) - len(first)
    if not again:
        return ""
    other = int((split.labels != split.labels[first[which]]).any(axis=1).sum())
    are = "is a copy" if again == 1 else "are copies"
    return f"{again:,} of {len(digests):,} {_WORDS[name]} images {are} of others of the split{_labelled(other)}"


def _labelled(other: int) -> str:
    return f", {other:,} under another label" if other else ""
