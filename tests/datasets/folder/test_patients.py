"""Patients of a folder: found in paths, never in two splits unless the suite allows it."""

from __future__ import annotations

import pytest
from datasets.shared import shared
from PIL import Image

from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.parts import parts_of
from medssl_bench.errors import DataError, UserError
from medssl_bench.plan.known_dataset import KnownDataset
from medssl_bench.plugin.manager import load_plugins

PATIENT = r"(p[0-9]+)_"


def write(folder_path, patients, images=3):
    folder_path.mkdir(parents=True)
    for patient in patients:
        for number in range(images):
            Image.new("L", (8, 8), patient * 4 + number).save(folder_path / f"p{patient:02}_{number}.png")


@pytest.fixture
def unsplit(tmp_path):
    """Ten patients with images of both classes, five with one class alone."""
    root = tmp_path / "cells"
    write(root / "benign", range(12))
    write(root / "malignant", [*range(10), 20, 21, 22])
    return root


@pytest.fixture
def split(tmp_path):
    root = tmp_path / "scans"
    for name, patients in (("train", range(8)), ("val", range(8, 10)), ("test", [10, 7])):
        write(root / name / "a", patients)
        write(root / name / "b", patients)
    return root


def test_drawn_splits_keep_patients_together(unsplit, context):
    dataset = folder(context, path=unsplit, size=8, groups=PATIENT)

    info, splits = dataset.info(), dataset.load()

    patients = {name: set((part.images[:, 0, 0] // 4).tolist()) for name, part in splits.items()}
    assert sum(map(len, patients.values())) == len(set.union(*patients.values())) == 15
    assert info.group_counts == {name: len(own) for name, own in patients.items()}
    for name, part in splits.items():
        assert len(part.groups) == info.counts[name]
        of_groups = zip(part.groups.tolist(), (part.images[:, 0, 0] // 4).tolist(), strict=True)
        assert len(set(of_groups)) == info.group_counts[name]
    assert "drawn from the training images, group by group: val and test" in info.notes
    assert abs(info.counts["test"] - 0.2 * 75) <= 6
    assert min(info.test_class_counts) >= 3


def test_given_splits_that_share_a_patient_are_refused(split, context):
    with pytest.raises(DataError, match="1 group has training and test images, the first is 'p07'"):
        folder(context, path=split, size=8, groups=PATIENT).info()


def test_shared_patients_can_be_allowed_by_name(split, context):
    info = folder(context, path=split, size=8, groups=PATIENT, shared_groups=True).info()

    assert info.warnings == ("1 group has training and test images",)
    assert info.group_counts == {"train": 8, "val": 2, "test": 2}


def test_a_split_that_is_drawn_beside_a_given_one_parts_no_patient(split, context):
    (split / "test").rename(split.parent / "elsewhere")

    splits = folder(context, path=split, size=8, groups=PATIENT, test=0.3).load()

    groups = [set(part.groups.tolist()) for part in splits.values()]
    assert sum(map(len, groups)) == len(set.union(*groups)) == 10
    assert len(groups[1]) == 2  # as given


def test_the_draw_depends_on_the_names_of_the_patients_alone(unsplit, context):
    def drawn():
        splits = folder(context, path=unsplit, size=8, groups=r"/(p[0-9]+)").load()
        return {name: sorted((part.images[:, 0, 0] // 4).tolist()) for name, part in splits.items()}

    before = drawn()
    for image in (unsplit / "benign").iterdir():
        patient, number = image.stem.split("_")
        image.rename(image.with_name(f"{patient}-{9 - int(number)}.png"))  # another order

    assert drawn() == before


def test_paths_without_a_patient_are_refused(unsplit, context):
    Image.new("L", (8, 8), 200).save(unsplit / "benign" / "extra.png")

    with pytest.raises(DataError, match=r"finds no group in 1 of 76 paths: 'benign/extra.png'; write a pattern"):
        folder(context, path=unsplit, size=8, groups=PATIENT).info()


def test_too_few_patients_are_refused(unsplit, context):
    with pytest.raises(DataError, match=r"cells: 2 groups cannot be shared out to 3 splits"):
        folder(context, path=unsplit, size=8, groups="(benign|malignant)").info()


@pytest.mark.parametrize(
    ("pattern", "said"), [("p[0-9]+", "has 0 groups in"), ("(p)([0-9])", "has 2"), ("(p", "is no regular")]
)
def test_a_pattern_needs_one_group(pattern, said):
    with pytest.raises(UserError, match=said):
        load_plugins().registry.resolve_or_raise("dataset", {"name": "folder", "path": "x", "groups": pattern})


def test_what_is_only_allowed_changes_no_key(split):
    registry, keys = load_plugins().registry, []
    for more in ({}, {"groups": PATIENT}, {"groups": PATIENT, "shared_groups": True}):
        component = registry.resolve_or_raise("dataset", {"name": "folder", "path": str(split), **more})
        keys.append(KnownDataset(component, None, "the same").identity())

    assert "groups" not in keys[0]["parameters"]
    assert keys[0] != keys[1] == keys[2]


def test_unlabelled_images_of_a_patient_who_is_tested_are_told(split, context):
    write(split / "unlabelled" / "deep", [10, 30])
    dataset = folder(context, path=split, size=8, groups=PATIENT, shared_groups=True)

    found, splits = dataset.load_unlabelled(), dataset.load()

    assert set(found.groups.tolist()) & set(splits["test"].groups.tolist()) == {int(found.groups[0])}
    assert len(set(found.groups.tolist())) == 2
    assert "1 group has test and unlabelled images" in shared(parts_of(dataset)).warnings
    assert "9 groups" not in str(dataset.info().notes)


def test_draws_stay_where_unlabelled_images_come(unsplit, context):
    before = folder(context, path=unsplit, size=8, groups=PATIENT).image_names()
    write(unsplit / "unlabelled", [3, 15, 99])
    after = folder(context, path=unsplit, size=8, groups=PATIENT)

    assert after.image_names() == before
    assert len(after.load_unlabelled().groups) == 9


def test_unlabelled_paths_without_any_patient_are_told_and_with_some_refused(unsplit, context):
    (unsplit / "unlabelled").mkdir()
    Image.new("L", (8, 8), 77).save(unsplit / "unlabelled" / "x.png")
    dataset = folder(context, path=unsplit, size=8, groups=PATIENT)

    assert dataset.load_unlabelled().groups is None
    assert any("finds none in the paths of the unlabelled images" in note for note in dataset.info().notes)
    Image.new("L", (8, 8), 78).save(unsplit / "unlabelled" / "p44_1.png")
    with pytest.raises(DataError, match=r"finds no group in 1 of 2 paths: 'unlabelled/x\.png'"):
        folder(context, path=unsplit, size=8, groups=PATIENT).info()
