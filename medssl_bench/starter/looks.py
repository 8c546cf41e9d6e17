"""What the images of a first suite are like: sizes, bits and values of some, and copies among all of them."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from glob import escape
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.copies import Copies, copies_key, known_copies
from medssl_bench.datasets.decode import decode
from medssl_bench.datasets.download import Downloadable
from medssl_bench.datasets.file_facts import FileFacts, facts_of
from medssl_bench.datasets.parts import UNLABELLED, Part, parts_of
from medssl_bench.datasets.pixel_range import Levels, wrong_with_levels
from medssl_bench.datasets.turns import turned_digests
from medssl_bench.datasets.value_range import RangeNeeded
from medssl_bench.errors import DataError, UserError
from medssl_bench.plan.spec import DatasetSpec
from medssl_bench.plugin.guarded import asking

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from medssl_bench.datasets import DatasetContext, DatasetInfo
    from medssl_bench.starter.sources import Source

LOOKED_AT = 200
"""Files whose sizes and values are looked at, spread over all."""

READ_MOST = 10_000
"""Images that are all read; of more, some are looked at, and `validate` reads them all."""


@dataclass(frozen=True)
class Sample:
    """What some files are like.

    Attributes:
        facts: of each that could be opened.
        levels: smallest and largest value of each, and the largest that it could have.
        unreadable: of the others, why, by name.
    """

    facts: tuple[FileFacts, ...]
    levels: Levels
    unreadable: dict[str, str]

    @property
    def sizes(self) -> list[tuple[tuple[int, int], int]]:
        """Width and height, and how many files have them, the most common first."""
        return Counter((fact.width, fact.height) for fact in self.facts).most_common()

    @property
    def bits(self) -> list[int]:
        """The numbers of bits of a value that occur."""
        return sorted({fact.bits for fact in self.facts})


def sample(source: Source, *, check: bool) -> Sample:
    """Look at some files of a data set.

    Args:
        source: the data set.
        check: whether values that use little of their range are refused here, as nothing else reads them.

    Raises:
        DataError: their values use little of their range, and no range is chosen.
    """
    step = max(1, len(source.files) // LOOKED_AT)
    files = source.files[::step][:LOOKED_AT]
    facts, found, names, unreadable = [], [], [], {}
    needed: RangeNeeded | None = None
    for file in files:
        try:
            facts.append(facts_of(file))
            choices = getattr(source.dataset, "choices")  # noqa: B009 - of all data sets of files
            seen = decode(file, source.info.size, source.info.channels, strict=False, choices=choices)
        except RangeNeeded as error:
            needed = needed or error
        except Exception as error:  # noqa: BLE001 - a decoder may raise anything on a broken file
            unreadable[str(file)] = str(error).partition("\n")[0] or type(error).__name__
        else:
            found.append((seen.low, seen.high, seen.limit))
            names.append(file.name)
    columns = np.array(found, np.int64).reshape(-1, 3).T
    levels = Levels(columns[0], columns[1], columns[2])
    if check:
        _refuse_range(source, levels, names, needed)
    return Sample(tuple(facts), levels, unreadable)


def _refuse_range(source: Source, levels: Levels, names: Sequence[str], needed: RangeNeeded | None) -> None:
    from medssl_bench.datasets.pixel_choices import proposed

    where = source.parameters["path"]
    if needed is not None:
        raise DataError(
            f"{where}: images have {needed.what}: values go from {needed.low:g} to {needed.high:g}; "
            f"{proposed(needed.low, needed.high, windows=needed.window)}"
        )
    if source.parameters.get("range") == "full" or not names:
        return
    if wrong := wrong_with_levels(levels, names, np.zeros(len(names), np.int64), ["the images"]):
        raise DataError(f"{where}: of {len(names):,} that were looked at: {wrong}")


def read(source: Source) -> tuple[Source, str]:
    """Read all images of a data set, once for each content; return it with all that it then says, and its fingerprint.

    Raises:
        DataError: some cannot be read, or use little of their range.
    """
    with asking(source.component):
        info, fingerprint = source.dataset.info(), source.dataset.fingerprint()
    assert info is not None
    return replace(source, info=info), fingerprint or ""


def is_here(source: Source) -> bool:
    """Return whether the images of a data set are on this machine."""
    return not isinstance(source.dataset, Downloadable) or source.dataset.is_present()


def copies_in(source: Source, fingerprint: str, context: DatasetContext) -> Copies:
    """Return what the parts of a data set share; the answer is kept, for `validate` and `run`."""
    key = DatasetSpec(component=source.component, fingerprint=fingerprint).key
    with asking(source.component):
        return known_copies(copies_key(key, source.info), lambda: parts_of(source.dataset), context.cache_dir)


def copies_between(labelled: Source, pools: Sequence[Source]) -> tuple[str, ...]:
    """Return a line for each part of the labelled images that images of the other data sets are copies of."""
    own = [part for part in parts_of(labelled.dataset) if part.name != UNLABELLED]
    lines = []
    for pool in pools:
        if (pool.info.channels, pool.info.size) != (labelled.info.channels, labelled.info.size):
            continue
        part = Part(UNLABELLED, pool.dataset.load_unlabelled().images)
        (digests,) = turned_digests([part.images])
        for other, others in zip(own, turned_digests([part.images for part in own]), strict=True):
            if number := int(np.isin(digests, others).sum()):
                leak = "" if other.name == "train" else ": tests on them are too good, so remove them there"
                lines.append(f"{number:,} images of {pool.name} are copies of {other.word} images{leak}")
    return tuple(lines)


def same_files(labelled: Source, folder: Path) -> list[str]:
    """Return patterns for what of a folder the labelled images are, for `leave_out`; nothing: they are elsewhere.

    A folder of which all images have labels is one pattern.

    Args:
        labelled: the data set with the labels.
        folder: of images without labels.

    Raises:
        UserError: all images of the folder have labels.
    """
    from medssl_bench.datasets.folder.tree import Node

    root = folder.resolve()
    own: set[str] = set()
    for file in labelled.files:
        with suppress(ValueError):
            own.add(file.resolve().relative_to(root).as_posix())
    if not own:
        return []
    patterns: list[str] = []
    stack = [Node(folder, folder)]
    while stack:
        node = stack.pop()
        below = [f"{inner.place}{name}" for inner in node.below() for name in inner.images]
        shared = own.intersection(below)
        if len(shared) == len(below) and not node.place:
            raise UserError(f"{folder}: all its images have labels, so leave out --unlabelled")
        if shared and len(shared) == len(below) and node.place:
            patterns.append(f"./{escape(node.place.rstrip('/'))}")
        elif shared:
            patterns += [f"./{escape(node.place + name)}" for name in node.images if f"{node.place}{name}" in own]
            stack += [inner for inner in node.folders.values() if not inner.is_link]
    return sorted(patterns)


def scarce_classes(info: DatasetInfo) -> list[str]:
    """Return a line for each split that lacks classes."""
    lines = []
    by_split = dict(zip(SPLITS, (info.class_counts, info.val_class_counts, info.test_class_counts), strict=True))
    for split, counts in by_split.items():
        absent = [name for name, count in zip(info.classes, counts or (), strict=False) if not count]
        if absent:
            more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
            lines.append(f"the {split} split has no image of {', '.join(map(repr, absent[:5]))}{more}")
    return lines
