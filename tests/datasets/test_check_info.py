"""What a data set says of itself: anything that plans, tables or the store would stumble over is named."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.datasets.check_info import wrong_with

INFO = DatasetInfo("Cells", Task.MULTI_CLASS, ("a", "b"), 3, 28, {"train": 50, "val": 0, "test": 10})
BARE = replace(INFO, task=Task.NONE, classes=(), counts=dict.fromkeys(INFO.counts, 0), unlabelled=5)


def test_sound_ones() -> None:
    assert wrong_with(INFO) == ""
    assert wrong_with(replace(INFO, class_counts=(20, 30), val_class_counts=(0, 0))) == ""
    assert wrong_with(replace(INFO, task=Task.MULTI_LABEL, classes=("a",))) == ""
    assert wrong_with(replace(INFO, group_counts={"train": 7, "val": 0, "test": 10})) == ""
    assert wrong_with(replace(INFO, unlabelled=5, unlabelled_fingerprint="x")) == ""
    assert wrong_with(BARE) == ""


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"title": None}, "title is None, not text"),
        ({"licence": ""}, "licence is empty; write what is known, or 'unknown'"),
        ({"task": "multi-class"}, "task is 'multi-class', not a medssl_bench.datasets.Task"),
        ({"classes": None}, "classes is None, not a tuple of names"),
        ({"classes": "ab"}, "classes is 'ab', not a tuple of names"),
        ({"classes": (0, 1)}, "classes is (0, 1), not a tuple of names"),
        ({"classes": ("a",)}, "1 class(es) is too few"),
        ({"task": Task.MULTI_LABEL, "classes": ()}, "0 class(es) is too few"),
        ({"unlabelled": -1}, "unlabelled is -1, not a whole number (int) from 0"),
        ({"unlabelled_fingerprint": None}, "unlabelled_fingerprint is None, not text"),
        ({"task": Task.NONE}, "there are 2 classes and no labels"),
        (
            {"task": Task.NONE, "classes": ()},
            "counts is {'train': 50, 'val': 0, 'test': 10}, but images without labels are in no split",
        ),
        (vars(BARE) | {"unlabelled": 0}, "there are no images"),
        ({"channels": 2}, "channels is 2, not 1 or 3"),
        ({"channels": True}, "channels is True, not 1 or 3"),
        ({"size": "big"}, "size is 'big', not a number of pixels"),
        ({"size": 0}, "size is 0, not a number of pixels"),
        (
            {"group_counts": {"train": 3}},
            "group_counts is {'train': 3}, not a table of whole numbers (int) for train, val, test",
        ),
        ({"group_counts": {"train": 3, "val": 0, "test": 11}}, "group_counts says 11 test groups of 10 images"),
        ({"group_counts": {"train": 0, "val": 0, "test": 1}}, "group_counts says 0 train groups of 50 images"),
        ({"counts": {"train": 50}}, "counts is {'train': 50}, not a table of train, val, test"),
        ({"counts": None}, "counts is None, not a table of train, val, test"),
        ({"counts": {**INFO.counts, "val": -1}}, "the count of val is -1, not a whole number (int) from 0"),
        (
            {"counts": {**INFO.counts, "train": np.int64(50)}},
            f"the count of train is {np.int64(50)!r}, not a whole number (int) from 0",
        ),
        ({"counts": {**INFO.counts, "test": 0}}, "the test split is empty"),
        ({"class_counts": (50,)}, "class_counts has 1 numbers for 2 classes"),
        ({"val_class_counts": (1, 2, 3)}, "val_class_counts has 3 numbers for 2 classes"),
        ({"class_counts": 50}, "class_counts is 50, not a tuple of whole numbers (int)"),
    ],
)
def test_senseless_ones(changes: dict[str, Any], what: str) -> None:
    assert wrong_with(replace(INFO, **changes)) == what


ANY = st.sampled_from([None, True, -1, 0, 1, 3, 0.5, float("nan"), "", "ab", np.int64(3)])
VALUES = (
    ANY
    | st.lists(ANY, max_size=3).map(tuple)
    | st.dictionaries(st.sampled_from(["train", "val", "test"]), ANY)
    | st.sampled_from([(1, 2), ("a", "b", "c"), {"train": 5, "val": 0, "test": 1}, Task.MULTI_LABEL])
)
FIELDS = sorted(asdict(INFO).keys() - {"generated"})


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3))
def test_what_is_sound_can_be_kept_as_json_and_counted_by_class(changes: dict[str, Any]) -> None:
    info = replace(INFO, **changes)
    if wrong_with(info) == "":
        assert json.loads(json.dumps(asdict(info)))["counts"]["train"] > 0
        for counts in (info.class_counts, info.val_class_counts):
            assert len(dict(zip(info.classes, counts or (), strict=counts is not None))) <= len(info.classes)
