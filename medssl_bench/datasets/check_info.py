"""Whether what a data set says of itself makes sense: plans, tables and the store rely on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.datasets.base import SPLITS, Task
from medssl_bench.datasets.file_reading import FileReading

if TYPE_CHECKING:
    from medssl_bench.datasets.base import DatasetInfo


def wrong_with(info: DatasetInfo) -> str:
    """Return the first thing that makes no sense in an `info()`, in one line, or an empty string."""
    for check in (_texts, _classes, _numbers, _counts, _group_counts):
        if wrong := check(info):
            return wrong
    return ""


# below, a field may hold anything: nothing has kept a plugin to the types that it should have


def _texts(info: Any) -> str:
    for name in ("title", "licence", "source", "unlabelled_fingerprint"):
        value = getattr(info, name)
        if not isinstance(value, str):
            return f"{name} is {value!r}, not text"
        if name == "title" and not value.isprintable():
            return f"title is {value!r}, which cannot be shown in one line"
    for name in ("notes", "warnings"):
        lines = getattr(info, name)
        if not isinstance(lines, tuple | list) or not all(isinstance(line, str) for line in lines):
            return f"{name} is {lines!r}, not a tuple of lines"
    if not isinstance(info.task, Task):
        return f"task is {info.task!r}, not a medssl_bench.datasets.Task"
    return "" if info.licence else "licence is empty; write what is known, or 'unknown'"


def _classes(info: Any) -> str:
    if not isinstance(info.classes, tuple | list) or not all(isinstance(name, str) for name in info.classes):
        return f"classes is {info.classes!r}, not a tuple of names"
    for name in info.classes:
        if not name.isprintable():
            return f"the class {name!r} cannot be shown in one line"
    if info.task is Task.NONE:
        return f"there are {len(info.classes)} classes and no labels" if info.classes else ""
    least = 1 if info.task is Task.MULTI_LABEL else 2
    return "" if len(info.classes) >= least else f"{len(info.classes)} class(es) is too few"


def _numbers(info: Any) -> str:
    if not _is_whole(info.channels) or info.channels not in {1, 3}:
        return f"channels is {info.channels!r}, not 1 or 3"
    if not _is_whole(info.size) or info.size <= 0:
        return f"size is {info.size!r}, not a number of pixels"
    return "" if isinstance(info.files, FileReading | None) else f"files is {info.files!r}, not a FileReading"


def _counts(info: Any) -> str:
    if not isinstance(info.counts, dict) or info.counts.keys() != set(SPLITS):
        return f"counts is {info.counts!r}, not a table of {', '.join(SPLITS)}"
    for name, count in info.counts.items():
        if not _is_whole(count) or count < 0:
            return f"the count of {name} is {count!r}, not a whole number (int) from 0"
    if not _is_whole(info.unlabelled) or info.unlabelled < 0:
        return f"unlabelled is {info.unlabelled!r}, not a whole number (int) from 0"
    if info.task is Task.NONE:
        return _without_labels(info)
    for name in ("train", "test"):
        if not info.counts[name]:
            return f"the {name} split is empty"
    return _class_counts(info)


def _class_counts(info: Any) -> str:
    for name in ("class_counts", "val_class_counts", "test_class_counts"):
        counts = getattr(info, name)
        if counts is None:
            continue
        if not isinstance(counts, tuple | list) or not all(map(_is_whole, counts)):
            return f"{name} is {counts!r}, not a tuple of whole numbers (int)"
        if len(counts) != len(info.classes):
            return f"{name} has {len(counts)} numbers for {len(info.classes)} classes"
    return ""


def _group_counts(info: Any) -> str:
    counts = info.group_counts
    if counts is None:
        return ""
    if not isinstance(counts, dict) or counts.keys() != set(SPLITS) or not all(map(_is_whole, counts.values())):
        return f"group_counts is {counts!r}, not a table of whole numbers (int) for {', '.join(SPLITS)}"
    for name, count in counts.items():
        if not min(1, info.counts[name]) <= count <= info.counts[name]:
            return f"group_counts says {count} {name} groups of {info.counts[name]} images"
    return ""


def _without_labels(info: Any) -> str:
    if any(info.counts.values()):
        return f"counts is {info.counts!r}, but images without labels are in no split"
    return "" if info.unlabelled else "there are no images"


def _is_whole(value: object) -> bool:
    """Return whether a value is a plain integer, as JSON has it; NumPy's are not."""
    return isinstance(value, int) and not isinstance(value, bool)
