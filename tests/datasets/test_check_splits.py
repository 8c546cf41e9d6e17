from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from medssl_bench.datasets import DatasetInfo, Split, Task
from medssl_bench.datasets.check_splits import wrong_with_splits

INFO = DatasetInfo("Mine", Task.MULTI_CLASS, ("a", "b"), 1, 8, {"train": 6, "val": 4, "test": 4})
IMAGES, LABELS = np.zeros((6, 8, 8), np.uint8), np.array([[0], [1]] * 3)


def splits(**changes):
    """Return sound splits in which fields of the training split are others."""
    train = {"images": IMAGES, "labels": LABELS, "groups": None, **changes}
    rest = Split(IMAGES[:4], LABELS[:4])
    return {"train": SimpleNamespace(**train), "val": rest, "test": rest}


def test_sound_splits():
    assert wrong_with_splits(INFO, splits()) == ""
    assert wrong_with_splits(INFO, splits(groups=np.arange(6))) == ""
    rgb = {name: Split(s.images[..., None].repeat(3, -1), s.labels) for name, s in splits().items()}
    assert wrong_with_splits(replace(INFO, channels=3), rgb) == ""
    several = {name: Split(s.images, np.hstack([s.labels, s.labels])) for name, s in splits().items()}
    assert wrong_with_splits(replace(INFO, task=Task.MULTI_LABEL), several) == ""


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"images": IMAGES.tolist()}, "train images are list, not an array"),
        ({"images": IMAGES / 255}, "train images are float64, not uint8"),
        ({"images": IMAGES[:5]}, "train images have shape (5, 8, 8); info() says (6, 8, 8)"),
        ({"images": IMAGES[:, :7, :7]}, "train images have shape (6, 7, 7); info() says (6, 8, 8)"),
        ({"images": IMAGES[..., None].repeat(3, -1)}, "train images have shape (6, 8, 8, 3); info() says (6, 8, 8)"),
        ({"labels": LABELS.tolist()}, "train labels are list, not an array"),
        ({"labels": LABELS[:, 0]}, "train labels have shape (6,), not (6, 1)"),
        ({"labels": LABELS / 1}, "train labels are float64, not int64"),
        ({"labels": LABELS + 1}, "train labels run from 1 to 2, not within 0 to 1"),
        ({"labels": LABELS - 1}, "train labels run from -1 to 0, not within 0 to 1"),
        ({"groups": np.arange(5)}, "train groups are not one for each image"),
    ],
)
def test_what_is_not_as_it_says(changes, what):
    assert wrong_with_splits(INFO, splits(**changes)) == what


@pytest.mark.parametrize(("groups", "found"), [(np.arange(6) // 2, "3"), (None, "missing")])
def test_groups_that_are_not_as_many_as_it_says(groups, found):
    info = replace(INFO, group_counts={"train": 2, "val": 1, "test": 1})

    assert wrong_with_splits(info, splits(groups=groups)) == f"train groups are {found}; info() says 2"


def test_other_splits():
    assert wrong_with_splits(INFO, None) == "load() gives NoneType, not ['test', 'train', 'val']"
    assert "load() gives the splits ['train'], not" in wrong_with_splits(INFO, {"train": splits()["train"]})
