"""Images and groups that two splits share."""

from __future__ import annotations

import numpy as np
from datasets.shared import find_copies, shared
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.datasets import Split
from medssl_bench.datasets.copies import known_copies, remember_near_copies
from medssl_bench.datasets.parts import Part


def split(images, labels=None, groups=None):
    images = np.array(images, np.uint8)
    labels = np.zeros(len(images), np.int64) if labels is None else np.array(labels)
    return Split(images, labels[:, None], None if groups is None else np.array(groups))


def parts(splits):
    return [Part(name, found.images, found.labels, found.groups) for name, found in splits.items()]


def single(*values):
    """Return images of one pixel value each."""
    return [np.full((3, 3), value) for value in values]


def test_what_splits_share_is_told_by_split():
    found = find_copies(
        {
            "train": split(single(1, 2, 2, 3), [0, 1, 1, 0]),
            "val": split(single(2, 9), [1, 0]),
            "test": split(single(3, 9, 1, 8), [1, 1, 0, 0]),
        }
    )

    assert found.warnings == (
        "1 of 2 validation images is a copy of training images",
        "2 of 4 test images are copies of training images, 1 under another label",
        "1 of 4 test images is a copy of validation images, 1 under another label",
    )
    assert found.notes == ("1 of 4 training images is a copy of others of the split",)


def test_an_image_that_differs_in_one_pixel_is_no_copy():
    other = np.full((3, 3), 5)
    other[2, 2] = 6

    found = find_copies({"train": split(single(5)), "val": split([other]), "test": split(single(7))})

    assert (found.warnings, found.notes) == ((), ())


def test_an_image_that_is_turned_or_mirrored_is_a_copy():
    one = np.arange(9).reshape(3, 3)
    rows_swapped = one[[1, 0, 2]]

    found = find_copies(
        {
            "train": split([one]),
            "val": split([np.rot90(one), one[:, ::-1], rows_swapped]),
            "test": split([one.T[::-1], one + 9]),
        }
    )

    assert found.warnings == (
        "2 of 3 validation images are copies of training images",
        "1 of 2 test images is a copy of training images",
        "1 of 2 test images is a copy of validation images",
    )
    assert found.notes == ("1 of 3 validation images is a copy of others of the split",)


def test_unlabelled_images_leak_into_what_is_tested_on_and_not_into_training():
    images = np.array(single(1, 2, 3, 4), np.uint8)
    labels = np.zeros((4, 1), np.int64)
    pool = Part("unlabelled", np.array(single(1, 2, 7), np.uint8))

    with_test = shared([Part("test", images, labels), pool])
    with_train = shared([Part("train", images, labels), pool])

    assert with_test.warnings == ("2 of 3 unlabelled images are copies of test images",)
    assert with_test.notes == ()
    assert with_train.warnings == ()
    assert with_train.notes == ("2 of 3 unlabelled images are copies of training images",)


def test_groups_in_two_splits():
    found = find_copies(
        {
            "train": split(single(1, 2, 3), groups=[10, 10, 11]),
            "val": split(single(4), groups=[12]),
            "test": split(single(5, 6), groups=[11, 10]),
        }
    )

    assert found.warnings == ("2 groups have training and test images",)


VALUES = st.lists(st.integers(0, 12), min_size=1, max_size=15)


@given(train=VALUES, val=VALUES, test=VALUES)
@settings(deadline=None)
def test_counts_are_those_of_comparing_each_with_each(train, val, test):
    splits = {"train": split(single(*train)), "val": split(single(*val)), "test": split(single(*test))}

    found = find_copies(splits)

    shared = [(sum(v in train for v in val)), sum(v in train for v in test), sum(v in val for v in test)]
    assert [int(line.split()[0]) for line in found.warnings] == [number for number in shared if number]
    again = [len(values) - len(set(values)) for values in (train, val, test)]
    assert [int(line.split()[0]) for line in found.notes] == [number for number in again if number]


def test_the_answer_is_remembered_by_its_key(tmp_path):
    splits = {"train": split(single(1)), "val": split(single(1)), "test": split(single(2))}
    first = known_copies("a", lambda: parts(splits), tmp_path)
    other = {**splits, "val": split(single(3))}

    assert known_copies("a", lambda: parts(other), tmp_path) == first
    assert known_copies("b", lambda: parts(other), tmp_path).warnings == ()
    for kept in (tmp_path / "copies").iterdir():
        kept.write_text("damaged")
    assert known_copies("a", lambda: parts(splits), tmp_path) == first


def test_an_answer_that_was_altered_is_not_believed(tmp_path):
    splits = {"train": split(single(1)), "val": split(single(1)), "test": split(single(2))}
    first = known_copies("a", lambda: parts(splits), tmp_path)
    assert first.warnings
    (kept,) = (tmp_path / "copies").iterdir()
    kept.write_text('{"warnings": [], "notes": []}')

    assert known_copies("a", lambda: parts(splits), tmp_path) == first


def test_near_copies_that_were_found_are_said_from_then_on(tmp_path):
    splits = {"train": split(single(1)), "val": split(single(1)), "test": split(single(2))}
    before = known_copies("a", lambda: parts(splits), tmp_path)
    remember_near_copies("a", ["1 of 1 test images is a near copy of training images"], tmp_path)

    after = known_copies("a", lambda: parts(splits), tmp_path)

    assert after.warnings == (*before.warnings, "1 of 1 test images is a near copy of training images")
    assert known_copies("b", lambda: parts(splits), tmp_path) == before
