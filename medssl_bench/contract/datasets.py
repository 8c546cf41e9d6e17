"""The contract of data sets: what they say of themselves is what they hold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medssl_bench.contract.checking import Step, require, untouched_generators
from medssl_bench.datasets import Dataset, DatasetInfo, Splits, Task
from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.download import Downloadable

Build = Callable[[], Dataset]


def dataset_steps(build: Build) -> list[Step]:
    """Return the steps for a data set; one that would have to be downloaded is only asked what it is."""
    dataset = build()
    told: list[Step] = [("what it says of itself", lambda: _told(build)), ("fingerprint", lambda: _fingerprint(build))]
    if isinstance(dataset, Downloadable) and not dataset.is_present():
        return [*told, ("content", lambda: "not here: fetch it, then check again")]
    return [
        *told,
        ("images", lambda: _images(build)),
        ("labels", lambda: _labels(build)),
        ("the same content twice", lambda: _repeats(build)),
        ("global random state is untouched", lambda: _untouched(build)),
    ]


def _info(dataset: Dataset) -> DatasetInfo:
    info = dataset.info()
    if info is None:
        dataset.load()
        info = dataset.info()
    require(info is not None, "info() is None even after load()")
    assert info is not None
    return info


def _told(build: Build) -> str:
    info = _info(build())
    require(isinstance(info.task, Task), f"task is {info.task!r}, not a medssl_bench.datasets.Task")
    require(info.channels in {1, 3}, f"channels is {info.channels}, not 1 or 3")
    require(
        len(info.classes) >= (1 if info.task is Task.MULTI_LABEL else 2), f"{len(info.classes)} class(es) is too few"
    )
    require(info.counts.keys() == set(SPLITS), f"counts has {sorted(info.counts)}, not {sorted(SPLITS)}")
    require(info.licence, "licence is empty; write what is known, or 'unknown'")
    return f"{info.title}: {info.task}, {len(info.classes)} classes, {info.size} px, licence {info.licence}"


def _fingerprint(build: Build) -> str:
    first, second = (build().fingerprint() for _ in range(2))
    require(first == second, f"two builds give {first} and {second}")
    return first or "none before the data is loaded"


def _loaded(build: Build) -> tuple[DatasetInfo, Splits]:
    dataset = build()
    splits = dataset.load()
    require(set(splits) == set(SPLITS), f"load() gives the splits {sorted(splits)}, not {sorted(SPLITS)}")
    return _info(dataset), splits


def _images(build: Build) -> str:
    info, splits = _loaded(build)
    side = (info.size, info.size)
    for name, split in splits.items():
        wanted = (info.counts[name], *side) if info.channels == 1 else (info.counts[name], *side, 3)
        require(split.images.dtype == np.uint8, f"{name} images are {split.images.dtype}, not uint8")
        require(split.images.shape == wanted, f"{name} images have shape {split.images.shape}; info() says {wanted}")
    return ", ".join(f"{name} {splits[name].images.shape}" for name in SPLITS)


def _labels(build: Build) -> str:
    info, splits = _loaded(build)
    columns = len(info.classes) if info.task is Task.MULTI_LABEL else 1
    highest = 1 if info.task is Task.MULTI_LABEL else len(info.classes) - 1
    for name, split in splits.items():
        wanted = (info.counts[name], columns)
        require(split.labels.shape == wanted, f"{name} labels have shape {split.labels.shape}, not {wanted}")
        require(np.issubdtype(split.labels.dtype, np.integer), f"{name} labels are {split.labels.dtype}, not integers")
        low, high = int(split.labels.min()), int(split.labels.max())
        require(low >= 0 and high <= highest, f"{name} labels run from {low} to {high}, not within 0 to {highest}")
        require(split.groups is None or len(split.groups) == len(split), f"{name} groups are not one for each image")
    if info.class_counts is not None:
        counts = np.bincount(splits["train"].labels[:, 0], minlength=len(info.classes))
        require(tuple(counts) == info.class_counts, f"class_counts says {info.class_counts}; there are {tuple(counts)}")
    return f"{columns} column(s), 0 to {highest}"


def _repeats(build: Build) -> str:
    (_, first), (_, second) = (_loaded(build) for _ in range(2))
    for name in SPLITS:
        require(np.array_equal(first[name].images, second[name].images), f"{name} images differ between two loads")
        require(np.array_equal(first[name].labels, second[name].labels), f"{name} labels differ between two loads")
    return "yes"


def _untouched(build: Build) -> str:
    with untouched_generators():
        build().load()
    return "yes"
