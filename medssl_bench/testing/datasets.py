"""The contract of data sets: what they say of themselves is what they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from medssl_bench.datasets import Dataset, DatasetInfo, Images, Split, Splits, Task
from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.check_info import wrong_with
from medssl_bench.datasets.check_splits import wrong_with_images, wrong_with_labels, wrong_with_unlabelled
from medssl_bench.datasets.download import Downloadable
from medssl_bench.testing.checking import Group, States, generator_states, require, require_untouched

Build = Callable[[], Dataset]


def dataset_steps(build: Build) -> list[Group]:
    """Return the steps for a data set; one that would have to be downloaded is only asked what it is.

    Args:
        build: makes it.

    Raises:
        Failed: what it makes is no data set.
    """
    dataset = build()
    require(isinstance(dataset, Dataset), f"the factory gives {type(dataset).__name__}, not a Dataset")
    absent = isinstance(dataset, Downloadable) and not dataset.is_present()
    bench = _Bench(build, absent=absent)
    told: Group = [("what it says of itself", bench.told)]
    first: list[Group] = [[("fingerprint", bench.fingerprint)], told]
    if absent:
        return [*first, [("content", lambda: "not here: fetch it, then check again")]]
    return [
        *first,
        [("images", bench.images)],
        [("labels", bench.labels)],
        [
            ("the same content twice", bench.repeats),
            ("no image is in two splits", bench.separate_images),
            ("no group is in two splits", bench.separate_groups),
            ("global random state is untouched", bench.untouched),
        ],
    ]


@dataclass(frozen=True)
class _Loaded:
    """A data set that has been read, and the global generators before it and after it."""

    info: DatasetInfo
    fingerprint: str | None
    splits: Splits
    unlabelled: Images | None
    before: States
    after: States


class _Bench:
    """A data set that is read no more often than the steps need, as it may be large."""

    def __init__(self, build: Build, *, absent: bool) -> None:
        self._build = build
        self._absent = absent

    @cached_property
    def _first(self) -> _Loaded:
        before = generator_states()
        dataset = self._build()
        splits = dataset.load()
        wanted = SPLITS if dataset.is_labelled else ()
        require(set(splits) == set(wanted), f"load() gives the splits {sorted(splits)}, not {sorted(wanted)}")
        info = dataset.info()
        require(info is not None, "info() is None even after load()")
        assert info is not None
        unlabelled = dataset.load_unlabelled() if info.unlabelled else None
        return _Loaded(info, dataset.fingerprint(), splits, unlabelled, before, generator_states())

    def told(self) -> str:
        before = self._build().info()
        if self._absent:
            return _sound(before) if before else "nothing before it is fetched"
        _require_agreement(before, self._first.info)
        return _sound(self._first.info)

    def fingerprint(self) -> str:
        first, second = (self._build().fingerprint() for _ in range(2))
        require(first == second, f"two builds give {first} and {second}")
        if self._absent:
            return first or "none before the data is loaded"
        loaded = self._first.fingerprint
        require(loaded, "it is None even after load()")
        require(first in {None, loaded}, f"it is {first} before load() and {loaded} after it")
        return str(loaded)

    def images(self) -> str:
        splits = self._first.splits
        wrong = wrong_with_images(self._first.info, splits)
        require(not wrong, wrong)
        found = [f"{name} {splits[name].images.shape}" for name in SPLITS if name in splits]
        if (unlabelled := self._first.unlabelled) is not None:
            wrong = wrong_with_unlabelled(self._first.info, unlabelled)
            require(not wrong, wrong)
            found.append(f"unlabelled {unlabelled.images.shape}")
        return ", ".join(found)

    def labels(self) -> str:
        info, splits = self._first.info, self._first.splits
        if info.task is Task.NONE:
            return "none"
        columns = len(info.classes) if info.task is Task.MULTI_LABEL else 1
        highest = 1 if info.task is Task.MULTI_LABEL else len(info.classes) - 1
        wrong = wrong_with_labels(info, splits)
        require(not wrong, wrong)
        for field, labels, said in (
            ("class_counts", splits["train"].labels, info.class_counts),
            ("val_class_counts", splits["val"].labels, info.val_class_counts),
            ("test_class_counts", splits["test"].labels, info.test_class_counts),
        ):
            if said is not None:
                counts = tuple(np.bincount(labels[:, 0], minlength=len(info.classes)).tolist())
                require(counts == said, f"{field} says {said}; there are {counts}")
        return f"{columns} column(s), 0 to {highest}"

    def repeats(self) -> str:
        again = self._build()
        second = again.load()
        for name in self._first.splits:
            first = self._first.splits[name]
            require(np.array_equal(first.images, second[name].images), f"{name} images differ between two loads")
            require(np.array_equal(first.labels, second[name].labels), f"{name} labels differ between two loads")
        if (unlabelled := self._first.unlabelled) is not None:
            same = np.array_equal(unlabelled.images, again.load_unlabelled().images)
            require(same, "unlabelled images differ between two loads")
        return "yes"

    def separate_images(self) -> str:
        found = _in_two(self._first.splits, lambda split: [image.tobytes() for image in split.images])
        require(
            not found,
            f"{found}: what is tested on must not have been trained on; keep copies of an image in one split",
        )
        return "yes, to the byte"

    def separate_groups(self) -> str:
        splits = self._first.splits
        if all(split.groups is None for split in splits.values()):
            return "it tells of no groups"
        found = _in_two(splits, lambda split: [] if split.groups is None else split.groups.tolist())
        require(not found, f"{found}: images that belong together, such as a patient's, belong in one split")
        return "yes"

    def untouched(self) -> str:
        require_untouched(self._first.before, self._first.after)
        return "yes"


def _in_two(splits: Splits, of: Callable[[Split], list[Any]]) -> str:
    """Say which two splits share something, the first pair that does, or return an empty string."""
    for one, other in combinations([name for name in SPLITS if name in splits], 2):
        known = {item: place for place, item in enumerate(of(splits[one]))}
        both = [(known[item], place) for place, item in enumerate(of(splits[other])) if item in known]
        if both:
            first, second = both[0]
            return (
                f"{len(both)} of {len(splits[other])} images of {other} share theirs with {one} "
                f"(number {second} of {other} with number {first} of {one})"
            )
    return ""


def _require_agreement(before: DatasetInfo | None, after: DatasetInfo) -> None:
    """Require that `info` says the same before and after the data is read; then it may know more."""
    told = {} if before is None else asdict(before)
    for name, value in asdict(after).items():
        said = told.get(name)
        require(said in (None, ()) or said == value, f"info() says {name} is {said} before load() and {value} after it")


def _sound(info: DatasetInfo) -> str:
    """Return a description, requiring that what is said makes sense."""
    wrong = wrong_with(info)
    require(not wrong, wrong)
    return f"{info.title}: {info.task}, {len(info.classes)} classes, {info.size} px, licence {info.licence}"
