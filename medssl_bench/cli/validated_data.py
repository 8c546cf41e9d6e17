"""What ``validate`` says of each data set: how it was read, its classes and counts, and what its splits share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.copies import Copies, copies_key, known_copies
from medssl_bench.datasets.download import Downloadable
from medssl_bench.datasets.fold import Fold, expected
from medssl_bench.datasets.parts import parts_of
from medssl_bench.plan.known_datasets import KnownDatasets
from medssl_bench.plan.selection import Only
from medssl_bench.plugin.guarded import asking, make

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medssl_bench.datasets import Dataset, DatasetContext, DatasetInfo
    from medssl_bench.plan.known_dataset import KnownDataset
    from medssl_bench.suite.suite import Suite

_MOST_CLASSES = 20
"""How many classes of a split are listed."""


def described(suite: Suite, context: DatasetContext) -> list[str]:
    """Return lines on each data set of a suite, those that are only pretrained on among them.

    Images are read, once for each content, to see whether splits share some; nothing is downloaded.

    Raises:
        DataError: a data set cannot be read.
    """
    registry = suite.plugins.registry
    known = KnownDatasets(registry, context)
    lines = []
    for named in {item.label: item for item in Only(suite, ()).datasets_of(suite)}.values():
        found = known.get(named.component)
        if found.info is None:
            lines.append(f"{named.label}: not here, so nothing is known of it")
            continue
        dataset: Dataset = make(registry, named.component, context=context)
        folds = dict.fromkeys(t.folds for t in suite.tables if named in t.datasets and t.folds > 1)
        lines += [*_about(named.label, found.info), *_folds(found.info, folds), *_shared(dataset, found, context)]
    return lines


def _about(label: str, info: DatasetInfo) -> list[str]:
    kind = "grey" if info.channels == 1 else "RGB"
    counts = {"train": info.class_counts, "val": info.val_class_counts, "test": info.test_class_counts}
    unlabelled = [f"  unlabelled: {info.unlabelled:,}"] if info.unlabelled else []
    notes = [f"  note: {line}" for line in info.notes]
    if not info.classes:
        return [f"{label}: no labels, {info.size} px {kind}", *unlabelled, *notes]
    lines = [f"{label}: {info.task}, {len(info.classes)} classes, {info.size} px {kind}"]
    if all(of_split is None for of_split in counts.values()):
        lines.append(f"  classes: {_first(info.classes)}")
    groups = {split: f" of {count:,} groups" for split, count in (info.group_counts or {}).items()}
    lines += [f"  {s}: {info.counts[s]:,}{groups.get(s, '')}{_by_class(info, counts[s])}" for s in SPLITS]
    return [*lines, *unlabelled, *notes]


def _folds(info: DatasetInfo, folds: Iterable[int]) -> list[str]:
    """Return about how many images each split has in the folds that comparisons ask for."""
    lines = []
    for count in folds:
        here = expected(info, Fold(0, count)).counts
        about = "about " if info.group_counts else ""
        numbers = ", ".join(f"{about}{here[split]:,} {split}" for split in SPLITS)
        lines.append(f"  in {count} folds, drawn of all {sum(info.counts.values()):,}: {numbers} in each")
    return lines


def _by_class(info: DatasetInfo, counts: tuple[int, ...] | None) -> str:
    if counts is None:
        return ""
    text = _first([f"{name}: {count}" for name, count in zip(info.classes, counts, strict=True)])
    spread = f", {min(counts):,} to {max(counts):,} images each" if len(counts) > _MOST_CLASSES else ""
    return f" ({text}{spread})"


def _first(texts: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(texts) - _MOST_CLASSES:,} more" if len(texts) > _MOST_CLASSES else ""
    return ", ".join(texts[:_MOST_CLASSES]) + more


def _shared(dataset: Dataset, found: KnownDataset, context: DatasetContext) -> list[str]:
    """Return what the splits share, where the images are here."""
    assert found.info is not None
    absent = found.pending or (isinstance(dataset, Downloadable) and not dataset.is_present())
    copies = Copies() if absent else _copies(dataset, found, context)
    lines = ["  note: not in the data folder; its images are looked at once they are there"] if absent else []
    lines += [f"  note: {line}" for line in copies.notes]
    return lines + [f"  warning: {line}" for line in dict.fromkeys([*found.info.warnings, *copies.warnings])]


def _copies(dataset: Dataset, found: KnownDataset, context: DatasetContext) -> Copies:
    assert found.info is not None
    with asking(found.component):
        return known_copies(copies_key(found.spec.key, found.info), lambda: parts_of(dataset), context.cache_dir)
