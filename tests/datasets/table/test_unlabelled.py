"""Rows without a label: their images are pretrained on, and no patient of theirs is tested."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medssl_bench.datasets import DatasetContext, Task
from medssl_bench.datasets.table.factory import table
from medssl_bench.errors import DataError

COUNT = 120


def rows():
    """Return rows of 40 patients with three images each, the third of which has no label."""
    return [
        {
            "file": f"{i:03}.png",
            "grade": "" if i % 3 == 2 else ["mild", "severe"][i // 3 % 2],
            "patient": f"P{i // 3}",
            "set": ["train", "train", "train", "train", "valid", "valid", "test", "test"][i // 3 % 8],
            "Edema": "" if i % 3 == 2 else i % 2,
            "Mass": "" if i % 3 == 2 else i % 2,
        }
        for i in range(COUNT)
    ]


@pytest.fixture
def make(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(COUNT):
        Image.fromarray(rng.integers(0, 256, (12, 12)).astype(np.uint8)).save(tmp_path / f"{i:03}.png")

    def make(data=None, **options):
        pd.DataFrame(rows() if data is None else data).to_csv(tmp_path / "t.csv", index=False)
        context = DatasetContext(tmp_path / "data", tmp_path / "cache")
        given = {"image": "file", "label": "grade", "size": 12, "blank": "unlabelled", **options}
        return table(context, path=tmp_path / "t.csv", **given)

    return make


def decoded(files):
    return [np.asarray(Image.open(file)).tolist() for file in files]


def test_rows_without_a_label_are_images_without_labels(make, tmp_path):
    dataset = make()
    info = dataset.info()
    assert (info.task, sum(info.counts.values()), info.unlabelled) == (Task.BINARY, 80, 40)
    found = dataset.load_unlabelled()
    assert found.groups is None
    assert found.images.tolist() == decoded(tmp_path / f"{i:03}.png" for i in range(2, COUNT, 3))
    assert len(dataset.image_files()) == COUNT


def test_the_rows_with_labels_are_read_as_without_the_others(make):
    labelled = [row for row in rows() if row["grade"]]
    alone, together = make(labelled, group="patient").load(), make(group="patient").load()
    for split, part in alone.items():
        assert np.array_equal(part.images, together[split].images)
        assert np.array_equal(part.labels, together[split].labels)
        assert np.array_equal(part.groups, together[split].groups)


def test_more_of_them_change_their_own_fingerprint_alone(make):
    fewer = [row for i, row in enumerate(rows()) if row["grade"] or i > 30]
    before = make(fewer)
    old = before.fingerprint(), before.info().unlabelled_fingerprint
    now = make()
    assert now.fingerprint() == old[0]
    assert now.info().unlabelled_fingerprint != old[1]


def test_patients_who_are_tested_are_not_pretrained_on(make):
    dataset = make(group="patient")
    splits, pool, info = dataset.load(), dataset.load_unlabelled(), dataset.info()
    assert len(pool) == info.unlabelled == len(np.unique(splits["train"].groups)) > 0
    assert set(pool.groups) == set(splits["train"].groups)
    left = COUNT // 3 - len(pool)
    assert any(f"left out: {left} images without a label, of groups with" in note for note in info.notes)


def test_patients_of_unlabelled_images_alone_have_numbers_of_their_own(make):
    data = [{**row, "patient": "new" if not row["grade"] else row["patient"]} for row in rows()]
    dataset = make(data, group="patient")
    pool = dataset.load_unlabelled()
    assert len(pool) == COUNT // 3
    assert not set(pool.groups) & set(np.concatenate([part.groups for part in dataset.load().values()]))


def test_those_of_a_given_test_split_are_not_pretrained_on(make):
    info = make(split="set").info()
    assert info.unlabelled == 20
    assert any("left out: 20 images without a label, of other splits than training" in note for note in info.notes)
    assert make(split="set", splits={"train": ["train", "valid"], "test": "test"}).info().unlabelled == 30


def test_several_labels(make):
    info = make(label=["Edema", "Mass"]).info()
    assert (info.task, sum(info.counts.values()), info.unlabelled) == (Task.MULTI_LABEL, 80, 40)


def test_one_blank_of_several_labels_is_asked_about(make):
    data = rows()
    data[4]["Mass"] = ""
    with pytest.raises(DataError, match="row 6, column 'Mass': blank"):
        make(data, label=["Edema", "Mass"]).info()


def test_an_image_that_another_row_labels_has_a_label(make):
    data = [*rows(), {**rows()[0], "grade": ""}]
    info = make(data).info()
    assert (sum(info.counts.values()), info.unlabelled) == (80, 40)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: [row.update(grade="") for row in data], "no row has a label"),
        (lambda data: data[2].update(file="no.png"), r"row 4, column 'file': there is no .*no\.png"),
        (lambda data: data[2].update(patient=""), "row 4, column 'patient': blank"),
    ],
)
def test_what_is_wrong_is_told_by_row(make, change, message):
    data = rows()
    change(data)
    with pytest.raises(DataError) as caught:
        make(data, group="patient").info()
    assert re.search(message, str(caught.value))


def test_without_the_rule_a_blank_is_refused_and_the_rule_is_named(make):
    with pytest.raises(DataError, match='blank = "unlabelled"'):
        make(blank=None).info()
