"""Several labels in a folder: a file that lies in several class folders is one image with all of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medssl_bench.datasets import Task
from medssl_bench.datasets.check_splits import wrong_with_splits
from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.folder.listing import Listing
from medssl_bench.datasets.folder.multi_label import with_several_labels
from medssl_bench.errors import DataError

LABELS = {0: "ab", 1: "a", 2: "b", 3: "", 4: "abc", 5: "c", 6: "bc", 7: "a"}
"""Of the image n, of each eight."""


def draw(root: Path, number: int, labels: str, *, start: str = "") -> None:
    for label in labels or "-":
        place = root / start / ("normal" if label == "-" else label) / f"{number:03}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (10, 10), number).save(place)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(80):
        draw(tmp_path / "scans", number, LABELS[number % 8])
    return tmp_path / "scans"


def make(context, root, **parameters):
    return folder(context, path=root, size=10, task="multi-label", **{"negative": "normal", **parameters})


def test_an_image_has_the_labels_of_all_its_folders(context, root):
    dataset = make(context, root)

    info, splits = dataset.info(), dataset.load()

    assert (info.task, info.classes) == (Task.MULTI_LABEL, ("a", "b", "c"))
    assert sum(info.counts.values()) == 80
    assert info.class_counts is None
    assert wrong_with_splits(info, splits) == ""
    for split in splits.values():
        for image, labels in zip(split.images, split.labels, strict=True):
            wanted = LABELS[int(image[0, 0]) % 8]
            assert labels.tolist() == [int(name in wanted) for name in "abc"]
    assert any("30 of 80 images lie in several class folders" in note for note in info.notes)
    counts = splits["train"].labels.sum(axis=0).tolist()
    assert f"train: a: {counts[0]}, b: {counts[1]}, c: {counts[2]}" in info.notes


def test_drawn_splits_keep_the_shares_of_the_labels(context, root):
    splits = make(context, root).load()

    assert {name: len(split) for name, split in splits.items()} == {"train": 56, "val": 8, "test": 16}
    for name, share in (("train", 0.7), ("val", 0.1), ("test", 0.2)):
        assert np.abs(splits[name].labels.sum(axis=0) - share * np.array([40, 40, 30])).max() <= 2


def test_groups_stay_together(context, root):
    for file in list(root.rglob("*.png")):
        file.rename(file.with_name(f"p{int(file.stem) // 4:02}_{file.name}"))
    dataset = make(context, root, groups="(p[0-9]+)_")

    splits = dataset.load()

    assert sum(dataset.info().group_counts.values()) == 20
    assert len({g for split in splits.values() for g in split.groups.tolist()}) == 20


def test_given_splits_are_taken_as_they_are(context, tmp_path):
    for start, numbers in (("train", range(40)), ("val", range(40, 56)), ("test", range(56, 80))):
        for number in numbers:
            draw(tmp_path / "set", number, LABELS[number % 8], start=start)

    splits = make(context, tmp_path / "set").load()

    assert {name: len(split) for name, split in splits.items()} == {"train": 40, "val": 16, "test": 24}


def test_labels_are_in_the_fingerprint(context, root):
    before = make(context, root).fingerprint()
    plain = folder(context, path=root, size=10, classes=["a", "b", "c", "normal"]).fingerprint()
    (root / "c" / "000.png").write_bytes((root / "a" / "000.png").read_bytes())

    assert make(context, root).fingerprint() != before != plain


def test_files_of_one_name_and_other_contents_are_other_images(context, root):
    Image.new("L", (10, 10), 200).save(root / "b" / "001.png")  # another 001 than that of a

    info = make(context, root).info()

    assert sum(info.counts.values()) == 81


@pytest.mark.parametrize(
    ("spoil", "parameters", "message"),
    [
        (
            lambda _root: None,
            {"negative": "none"},
            r"has no class folder 'none' \('negative'\); it has 'a', 'b', 'c', 'normal'",
        ),
        (lambda _root: None, {"task": None}, "'negative' is for task = \"multi-label\""),
        (
            lambda root: shutil.copy(root / "a" / "000.png", root / "normal" / "000.png"),
            {},
            "a/000.png: lies in 'normal' and in 'a'; remove one",
        ),
        (
            lambda root: (
                (root / "a" / "more").mkdir(),
                shutil.copy(root / "a" / "000.png", root / "a" / "more" / "000.png"),
            ),
            {},
            "'a/000.png', 'a/more/000.png', 'b/000.png' are one image; keep one in a class folder",
        ),
        (
            lambda root: [
                file.rename(file.with_name(f"{file.parent.name}{file.name}")) for file in root.rglob("*.png")
            ],
            {},
            "no image lies in two class folders, so each has one label; leave 'task' out",
        ),
    ],
)
def test_what_is_not_clear_is_refused(context, root, spoil, parameters, message):
    spoil(root)
    with pytest.raises(DataError, match=message):
        folder(context, **{"path": root, "size": 10, "task": "multi-label", "negative": "normal", **parameters}).info()


@settings(max_examples=60)
@given(st.lists(st.sets(st.integers(0, 3), min_size=1), min_size=1, max_size=12))
def test_any_sets_of_labels_come_back(tmp_path_factory, sets):
    root = tmp_path_factory.mktemp("sets")
    rows = [(f"{'abcd'[label]}/{number}.png", label) for number, own in enumerate(sets) for label in sorted(own)]
    for name, _ in rows:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(Path(name).name.encode())
    rows.sort(key=lambda row: (row[1], row[0]))
    listing = Listing(root, tuple("abcd"), *zip(*rows, strict=True), ("train",) * len(rows))
    if all(len(own) == 1 for own in sets):
        with pytest.raises(DataError, match="no image lies in two class folders"):
            with_several_labels(listing, None)
        return

    found = with_several_labels(listing, None)

    numbers = [int(Path(name).stem) for name in found.names]
    assert sorted(numbers) == list(range(len(sets)))
    assert [set(own) for own in found.label_sets] == [sets[number] for number in numbers]
