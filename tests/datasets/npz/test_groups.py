"""Groups in an npz file: read as numbers or texts, and refused where two splits share one."""

from __future__ import annotations

import numpy as np
import pytest
from datasets.shared import find_copies, shared

from medssl_bench.datasets.npz.dataset import npz
from medssl_bench.datasets.parts import parts_of
from medssl_bench.errors import DataError

GROUPS = {"train_groups": np.arange(12) // 3, "val_groups": np.arange(6) // 3 + 10, "test_groups": np.arange(9) + 20}
NAMES = {key: np.array([f"patient {number}" for number in numbers]) for key, numbers in GROUPS.items()}


@pytest.fixture
def make(tmp_path, context, arrays):
    """Write the arrays with groups as an npz file and return the data set."""

    def make(groups, **parameters):
        path = tmp_path / "own.npz"
        np.savez(path, **arrays, **groups)
        return npz(context, path=path, **parameters)

    return make


@pytest.mark.parametrize(
    "groups",
    [
        GROUPS,
        NAMES,
        {key: names.astype("S") for key, names in NAMES.items()},
        {key: numbers[:, None].astype(np.uint8) for key, numbers in GROUPS.items()},
    ],
    ids=["numbers", "texts", "bytes", "a column"],
)
def test_groups_are_those_of_the_file(make, groups):
    dataset = make(groups)

    info, splits = dataset.info(), dataset.load()

    assert info.group_counts == {"train": 4, "val": 2, "test": 9}
    assert info.warnings == ()
    for split, key in (("train", "train_groups"), ("val", "val_groups"), ("test", "test_groups")):
        ours, theirs = splits[split].groups, GROUPS[key]
        assert ours.shape == theirs.shape
        np.testing.assert_array_equal(ours[:, None] == ours, theirs[:, None] == theirs)


@pytest.mark.parametrize("names", [GROUPS, NAMES], ids=["numbers", "texts"])
def test_unlabelled_images_have_groups_too_and_those_that_are_tested_are_told(make, names):
    images = np.random.default_rng(1).integers(0, 256, (4, *make({}).load()["train"].images.shape[1:]), np.uint8)
    new = np.array([99, 98]) if names is GROUPS else np.array(["new", "newer"])
    own = np.concatenate([names["test_groups"][[0, 3]], new])
    dataset = make({**names, "unlabelled_images": images, "unlabelled_groups": own})

    found, splits = dataset.load_unlabelled(), dataset.load()

    assert dataset.info().group_counts == {"train": 4, "val": 2, "test": 9}
    assert found.groups[:2].tolist() == splits["test"].groups[[0, 3]].tolist()
    assert not set(found.groups[2:].tolist()) & {n for split in splits.values() for n in split.groups.tolist()}
    assert "2 groups have test and unlabelled images" in shared(parts_of(dataset)).warnings


def test_unlabelled_groups_need_those_of_the_splits(make):
    images = np.zeros((2, *make({}).load()["train"].images.shape[1:]), np.uint8)
    with pytest.raises(DataError, match="has unlabelled_groups and no train_groups, val_groups, test_groups"):
        make({"unlabelled_images": images, "unlabelled_groups": np.arange(2)}).info()


def test_without_groups(make):
    dataset = make({})

    assert dataset.info().group_counts is None
    assert dataset.load()["train"].groups is None


def test_splits_that_share_groups_are_refused(make):
    with pytest.raises(DataError) as refused:
        make({**NAMES, "test_groups": NAMES["train_groups"][:9]}).info()

    assert str(refused.value).endswith(
        "own.npz: 3 groups have training and test images, the first is 'patient 0': tests on them measure memory; part "
        "the splits by group, or say shared_groups = true, and every table says so"
    )


def test_shared_groups_that_are_allowed_are_told(make):
    dataset = make({**NAMES, "test_groups": NAMES["train_groups"][:9]}, shared_groups=True)

    assert dataset.info().warnings == ("3 groups have training and test images",)
    assert dataset.info().warnings[0] in find_copies(dataset.load()).warnings


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"val_groups": None}, "has train_groups, test_groups and no val_groups; every split needs its groups"),
        ({"val_groups": np.arange(5)}, "val_groups: has elements of type int64 and shape (5,); groups are one"),
        ({"val_groups": np.arange(6.0)}, "val_groups: has elements of type float64 and shape (6,)"),
        ({"val_groups": NAMES["val_groups"]}, "some parts have groups as numbers and others as text; write all alike"),
    ],
)
def test_what_is_refused(make, changes, said):
    groups = {key: value for key, value in {**GROUPS, **changes}.items() if value is not None}

    with pytest.raises(DataError) as refused:
        make(groups).info()

    assert said in str(refused.value)
