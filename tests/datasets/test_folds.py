"""Folds: each image is tested once, no group is parted, and what is known beforehand is about right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from medssl_bench.datasets import DatasetInfo, Split, Task
from medssl_bench.datasets.base import SPLITS
from medssl_bench.datasets.fold import Fold, expected
from medssl_bench.datasets.folds import described, folded
from medssl_bench.errors import DataError


def made(labels, groups=None, sizes=None):
    """Return splits in which the image at place n of the whole is filled with n."""
    numbers = np.arange(len(labels), dtype=np.uint8)
    images = np.broadcast_to(numbers[:, None, None], (len(labels), 4, 4)).copy()
    sizes = sizes or (len(labels) - 2 * (len(labels) // 5), len(labels) // 5, len(labels) // 5)
    places = np.split(np.arange(len(labels)), np.cumsum(sizes)[:-1])
    return {
        name: Split(images[here], np.asarray(labels)[here, None], None if groups is None else np.asarray(groups)[here])
        for name, here in zip(SPLITS, places, strict=True)
    }


def info_of(splits, classes):
    """Return what a data set with these splits says of itself."""
    counts = [tuple(np.bincount(splits[name].labels[:, 0], minlength=classes).tolist()) for name in SPLITS]
    return DatasetInfo(
        title="Made",
        task=Task.MULTI_CLASS,
        classes=tuple(f"c{number}" for number in range(classes)),
        channels=1,
        size=4,
        counts={name: len(splits[name]) for name in SPLITS},
        class_counts=counts[0],
        val_class_counts=counts[1],
        test_class_counts=counts[2],
        warnings=("3 patients are in two splits",),
    )


def numbers_of(split):
    return split.images[:, 0, 0].tolist()


@settings(max_examples=200)
@given(st.integers(2, 8), st.integers(24, 200), st.integers(2, 4), st.booleans(), st.integers(0, 2**32 - 1))
def test_each_image_is_tested_once_and_no_group_is_parted(count, total, classes, grouped, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, total)
    groups = rng.permutation(np.arange(total) % (3 * count))
    splits = made(labels, groups if grouped else None)
    tested = []

    for number in range(count):
        found = folded(splits, Fold(number, count))
        tested += numbers_of(found["test"])
        every = [image for name in SPLITS for image in numbers_of(found[name])]
        assert sorted(every) == list(range(total))
        for split in found.values():
            here = numbers_of(split)
            assert np.array_equal(split.labels[:, 0], labels[here])
            assert (split.groups is None) == (not grouped)
            assert not grouped or np.array_equal(split.groups, groups[here])
        if grouped:
            parts = [set(found[name].groups.tolist()) for name in SPLITS]
            assert sum(map(len, parts)) == len(set().union(*parts))

    assert sorted(tested) == list(range(total))


@settings(max_examples=200)
@given(st.integers(2, 8), st.integers(20, 250), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_without_groups_what_is_expected_is_what_comes(count, total, classes, seed):
    splits = made(np.random.default_rng(seed).integers(0, classes, total))
    info = info_of(splits, classes)

    for number in range(count):
        fold = Fold(number, count)
        before = expected(info, fold)
        found = folded(splits, fold)

        assert before.counts == {name: len(found[name]) for name in SPLITS}
        for guess, name in (
            (before.class_counts, "train"),
            (before.val_class_counts, "val"),
            (before.test_class_counts, "test"),
        ):
            real = np.bincount(found[name].labels[:, 0], minlength=classes)
            assert np.abs(np.array(guess) - real).max() <= 2
        assert before.title == f"Made, fold {number} of {count}"
        assert before.warnings == ()  # they are of the set's own splits


def test_classes_are_as_even_over_folds_as_scikit_learn_has_them():
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 200, p=[0.5, 0.3, 0.15, 0.05])
    parts = [folded(made(labels), Fold(number, 5))["test"].labels[:, 0] for number in range(5)]
    ours = np.array([np.bincount(part, minlength=4) for part in parts])
    theirs = [labels[test] for _, test in StratifiedKFold(5).split(labels, labels)]

    assert np.ptp(ours, axis=0).max() <= np.ptp([np.bincount(part, minlength=4) for part in theirs], axis=0).max() + 1


def test_grouped_folds_are_as_even_as_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    groups = np.sort(rng.integers(0, 40, 240))
    labels = (groups % 3 == 0).astype(int) + (rng.random(240) < 0.2)
    ours = [folded(made(labels, groups), Fold(number, 5))["test"].labels[:, 0] for number in range(5)]
    theirs = [labels[test] for _, test in StratifiedGroupKFold(5).split(labels, labels, groups)]

    def unevenness(parts):
        shares = np.array([np.bincount(part, minlength=3) for part in parts]) / np.bincount(labels, minlength=3)
        return np.abs(shares - 0.2).max()

    assert unevenness(ours) <= 1.25 * unevenness(theirs)


def test_validation_images_are_as_many_to_the_training_images_as_in_the_sets_own_splits():
    found = folded(made([0, 1] * 50, sizes=(60, 20, 20)), Fold(0, 5))

    assert {name: len(split) for name, split in found.items()} == {"train": 60, "val": 20, "test": 20}


def test_without_validation_images_a_fold_has_none():
    splits = made([0, 1] * 50, sizes=(80, 0, 20))

    assert len(folded(splits, Fold(1, 4))["val"]) == 0
    assert expected(info_of(splits, 2), Fold(1, 4)).counts == {"train": 75, "val": 0, "test": 25}


def test_described_counts_what_is_there():
    splits = made([0, 1] * 50, np.arange(100) // 4)
    fold = Fold(2, 5)
    found = folded(splits, fold)

    told = described(info_of(splits, 2), found, fold)

    assert told.counts == {name: len(found[name]) for name in SPLITS}
    assert told.group_counts == {name: len(set(found[name].groups.tolist())) for name in SPLITS}
    assert sum(sum(counts) for counts in (told.class_counts, told.val_class_counts, told.test_class_counts)) == 100


def test_a_fold_of_one_class_is_refused():
    labels = [0] * 50 + [1] * 50
    splits = made(labels, np.arange(100) // 50, (50, 0, 50))  # one group a class
    fold = Fold(0, 2)

    with pytest.raises(DataError, match=r"Made, fold 0 of 2: all train images are of class 'c[01]'; ask for fewer"):
        described(info_of(splits, 2), folded(splits, fold), fold)


def test_more_folds_than_groups_are_refused():
    with pytest.raises(DataError, match="2 groups cannot be shared out to 3 splits"):
        folded(made([0, 1] * 10, np.arange(20) // 10), Fold(0, 3))


def test_splits_of_which_some_have_groups_are_refused():
    splits = made([0, 1] * 10, np.arange(20) // 2)
    splits["test"] = Split(splits["test"].images, splits["test"].labels)

    with pytest.raises(DataError, match="some splits of the data set have groups and others have none"):
        folded(splits, Fold(0, 2))
