"""Folders as archives have them: the classes and splits that a person would see, or a line that says what to write."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from datasets.folder.folder_cases import TWO, classes, image, splits
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medssl_bench.datasets import DatasetContext
from medssl_bench.datasets.folder.factory import folder
from medssl_bench.datasets.folder.listing import list_images
from medssl_bench.datasets.folder.names import natural, split_named
from medssl_bench.errors import DataError, printable


@pytest.fixture
def context(tmp_path_factory):
    """Keep the cache out of the folder of images."""
    aside = tmp_path_factory.mktemp("aside")
    return DatasetContext(aside / "data", aside / "cache")


def seen(root, context, **parameters):
    """Return the classes, the images of each by split, and the notes, of a folder that is understood."""
    info = folder(context, path=root, size=8, **parameters).info()
    return info.classes, (info.class_counts, info.val_class_counts, info.test_class_counts), info.notes


def refusal(root, context, **parameters):
    """Return the one line with which a folder is refused."""
    with pytest.raises(DataError) as caught:
        folder(context, path=root, size=8, **parameters).info()
    line = printable(str(caught.value))
    assert "\n" not in line
    assert str(root) in line
    return line


@pytest.mark.parametrize(
    ("names", "note"),
    [
        (("Training", "Testing"), "read Training/ as train, Testing/ as test"),
        (("Train", "Test"), "read Train/ as train, Test/ as test"),
        (("train", "valid", "test"), "read valid/ as val"),
        (("train", "validation", "test"), "read validation/ as val"),
        (("train", "dev", "test"), "read dev/ as val"),
        (("0_train", "1_val", "2_test"), "read 0_train/ as train, 1_val/ as val, 2_test/ as test"),
        (("train_set", "test_set"), "read train_set/ as train, test_set/ as test"),
        (("TrainData", "TestData"), "read TrainData/ as train, TestData/ as test"),
        (("Entraînement", "Essai"), "read Entraînement/ as train, Essai/ as test"),
        (("训练集", "测试集"), "read 训练集/ as train, 测试集/ as test"),
    ],
)
def test_other_names_of_splits(tmp_path, context, names, note):
    splits(tmp_path, *names)

    found, (train, val, test), notes = seen(tmp_path, context)

    assert found == TWO
    assert test == (4, 4)
    assert (train, val) == (((10, 10), (4, 4)) if len(names) == 3 else ((9, 9), (1, 1)))
    assert note in notes
    assert ("drawn from the training images, class by class: val" in notes) is (len(names) == 2)


def test_plain_splits_need_no_note(tmp_path, context):
    splits(tmp_path, "train", "val", "test")

    assert seen(tmp_path, context) == (TWO, ((10, 10), (4, 4), (4, 4)), ())


@pytest.mark.parametrize("outer", ["scans/scans", "scans/images", "scans/a/b", "scans/scans/images"])
def test_outer_folders(tmp_path, context, outer):
    splits(tmp_path / outer, "train", "test")

    found, counts, notes = seen(tmp_path / "scans", context)

    assert (found, counts[2]) == (TWO, (4, 4))
    assert f"read {outer.removeprefix('scans/').split('/')[0]}/ as the folder" in notes


def test_images_inside_of_splits(tmp_path, context):
    splits(tmp_path, "train/images", "test/images")
    (tmp_path / "train" / "labels.csv").write_text("")

    found, counts, notes = seen(tmp_path, context)

    assert (found, counts[2]) == (TWO, (4, 4))
    assert "left out: 1 .csv file in train/" in notes


def test_splits_inside_of_classes(tmp_path, context):
    for name in TWO:
        splits(tmp_path / name, "train", "test", classes_of=(".",))

    assert seen(tmp_path, context)[:2] == (TWO, ((9, 9), (1, 1), (4, 4)))
    classes(tmp_path, ["normal"])
    assert "some class folders have folders of splits in them (test/, train/)" in refusal(tmp_path, context)


def test_an_archive_unpacked_into_itself(tmp_path, context):
    splits(tmp_path, "train", "test")
    shutil.copytree(tmp_path / "train", tmp_path / "scans" / "train")

    found, counts, notes = seen(tmp_path, context)

    assert (found, counts[2]) == (TWO, (4, 4))
    assert "left out: 20 images outside of the classes in scans/train/benign/, scans/train/malignant/" in notes


def test_what_other_programs_leave(tmp_path, context):
    classes(tmp_path)
    for place in ("__MACOSX/benign/._00.png", "@eaDir/00.png", "benign/@eaDir/00.png", ".ipynb_checkpoints/00.png"):
        image(tmp_path / "x.png")
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x.png").rename(tmp_path / place)
    for place in (".DS_Store", "benign/.DS_Store", "benign/._00.png", "benign/Thumbs.db"):
        (tmp_path / place).write_bytes(b"x")

    found, counts, notes = seen(tmp_path, context)

    assert (found, counts) == (TWO, ((7, 7), (1, 1), (2, 2)))
    assert "left out: 7 hidden or of other programs in ./, benign/" in notes
    assert "left out: 1 .db file in benign/" in notes


def test_case_that_differs_between_splits(tmp_path, context):
    splits(tmp_path, "train", classes_of=("Benign", "Malignant type"))
    splits(tmp_path, "test", classes_of=("benign", "malignant_type"))

    found, counts, notes = seen(tmp_path, context)

    assert found == ("Benign", "Malignant type")
    assert counts[2] == (10, 10)
    assert "read test/benign/ as Benign" in notes
    classes(tmp_path / "train", ["benign"])
    assert "Benign/, benign/ differ in case or spaces alone" in refusal(tmp_path, context)


@pytest.mark.parametrize(
    "names",
    [
        ["0", "1", "2", "10"],
        ["grade0", "grade2", "grade10"],
        ["1-mild", "2-severe", "10-none"],
        ["2-part", "3-part"],
        ["T1", "T2", "T3"],
        ["A", "B"],
        ["case", "control"],
        ["normal sample", "tumour sample"],
        [str(number) for number in range(30)],
        [f"n{1_440_764 + 37 * number:08}" for number in range(25)],
    ],
)
def test_classes_with_numbers_are_classes_in_natural_order(tmp_path, context, names):
    classes(tmp_path, names, 7)

    assert seen(tmp_path, context)[0] == tuple(names)


@given(st.lists(st.text(st.sampled_from("ab -_./019"), min_size=1, max_size=6), min_size=1, max_size=6, unique=True))
@settings(deadline=None, max_examples=200)
def test_natural_order_is_that_of_characters_but_for_numbers(names):
    ordered = sorted(names, key=natural)
    single = [name for name in names if all(len(digits) == 1 for digits in re.findall(r"\d+", name))]

    assert sorted(single, key=natural) == sorted(single), "keys of data sets read before must stay"
    assert sorted(ordered) == sorted(names)
    numbers = sorted((name for name in names if name.isdecimal()), key=natural)
    assert [int(number) for number in numbers] == sorted(int(number) for number in numbers)


def test_magnifications_below_classes_belong_to_them(tmp_path, context):
    for name in TWO:
        classes(tmp_path / name, ["40X", "100X"], 5)

    assert seen(tmp_path, context)[:2] == (TWO, ((7, 7), (1, 1), (2, 2)))


def test_endings_in_capitals_and_jfif(tmp_path, context):
    classes(tmp_path)
    for index in range(10):
        (tmp_path / "benign" / f"{index:02}.png").rename(tmp_path / "benign" / f"{index:02}.PNG")
        image(tmp_path / "x.png")
        with Image.open(tmp_path / "x.png") as opened:
            opened.save(tmp_path / "malignant" / f"j{index}.jfif", "JPEG")
        (tmp_path / "x.png").unlink()

    assert seen(tmp_path, context)[1] == ((7, 14), (1, 2), (2, 4))


ONE_LEVEL = [
    (["fold_0", "fold_1", "fold_2"], "look like parts or folds"),
    (["cv1", "cv2"], "look like parts or folds"),
    (["HAM_images_part_1", "HAM_images_part_2"], "look like parts or folds"),
    (["patient001", "patient002"], "look like people or cases"),
    (["P10", "P11", "P12"], "look like people or cases"),
    (["subject-1", "subject-2"], "look like people or cases"),
    (["case_17", "case_18"], "look like people or cases"),
    (["10253", "10254"], "look like numbers of patients"),
    (["6f1c2a9e-0b1d-4c8e-9a51-0a4e3f2b1c0d", "0f1c2a9e-0b1d-4c8e-9a51-0a4e3f2b1c0e"], "look like numbers of patients"),
    (["hospital_A", "hospital_B"], "look like places or times"),
    (["day1", "day2"], "look like places or times"),
    (["2019", "2020"], "look like years or dates"),
    (["2019-03-01", "2020-11-02"], "look like years or dates"),
    (["40X", "100X"], "look like sizes or magnifications"),
    (["28", "64"], "look like sizes or magnifications"),
    (["left", "right"], "look like sides of the body"),
    (["OD", "OS"], "look like sides of the body"),
    (["original", "augmented"], "are not all classes (augmented, original)"),
    (["images", "masks"], "are not all classes (images, masks)"),
]


@pytest.mark.parametrize(("names", "reason"), ONE_LEVEL, ids=[names[0] for names, _ in ONE_LEVEL])
def test_what_can_hardly_be_classes_is_refused_and_can_be_meant(tmp_path, context, names, reason):
    classes(tmp_path, names)

    line = refusal(tmp_path, context)

    assert reason in line
    assert names[0] in line
    assert "classes = [" in line or 'path = "' in line
    assert seen(tmp_path, context, classes=names)[0] == tuple(names)


def test_many_folders_with_few_images(tmp_path, context):
    classes(tmp_path, [f"A{number}x" for number in range(100, 125)], 5)

    assert "look like patients (many" in refusal(tmp_path, context)


@pytest.mark.parametrize("outer", [("Paris", "London"), ("fold_0", "fold_1"), ("10253", "10254"), ("siteA", "siteB")])
def test_classes_inside_of_something_else(tmp_path, context, outer):
    for name in outer:
        classes(tmp_path / name)

    assert "splits = { train = " in refusal(tmp_path, context)
    found, (train, val, test), _ = seen(tmp_path, context, splits={"train": [outer[0]], "test": outer[1]})
    assert (found, train, val, test) == (TWO, (9, 9), (1, 1), (10, 10))


def test_folds_are_put_together(tmp_path, context):
    splits(tmp_path, "fold_0", "fold_1", "fold_2")

    given_splits = {"train": ["fold_0", "fold_1"], "test": "fold_2"}
    found, (train, val, test), _ = seen(tmp_path, context, splits=given_splits)

    assert (found, test) == (TWO, (4, 4))
    assert [sum(pair) for pair in zip(train, val, strict=True)] == [14, 14]


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (("train", "val", "valid"), 'could both be the val split; say which with splits = { train = "train", val'),
        (("train", "eval"), "eval: 8 images in no class of the splits beside it"),
        (("train", "test", "test_external"), "test_external: 8 images in no class of the splits beside it"),
        (("train", "test", "holdout"), 'say leave_out = ["holdout"]'),
        (("train_A", "test_A"), 'could be splits; if so, say splits = { train = "train_A", test = "test_A" }'),
        (("ISIC_Training", "ISIC_Test_v2"), 'splits = { train = "ISIC_Training", test = "ISIC_Test_v2" }'),
        (("holdout", "rest"), "holdout/ could be splits"),
        (("Testing", "Validation"), "has Validation/ but no train/"),
    ],
)
def test_unclear_splits(tmp_path, context, names, line):
    splits(tmp_path, *names)

    assert line in refusal(tmp_path, context)


def test_the_way_out_of_unclear_splits_works(tmp_path, context):
    splits(tmp_path, "train", "eval")

    assert seen(tmp_path, context, splits={"train": "train", "test": "eval"})[1] == ((9, 9), (1, 1), (4, 4))
    assert seen(tmp_path, context, leave_out=["eval"])[1] == ((7, 7), (1, 1), (2, 2))


def test_a_flat_test_split(tmp_path, context):
    splits(tmp_path, "train")
    image(tmp_path / "test" / "1.png")

    line = refusal(tmp_path, context)

    assert "test: holds 1 image but no class folders" in line
    assert 'splits = { train = "train" }' in line
    _, counts, notes = seen(tmp_path, context, splits={"train": "train"})
    assert counts == ((7, 7), (1, 1), (2, 2))
    assert "left out: 1 image outside of the classes in test/" in notes


def test_a_flat_folder_with_a_table(tmp_path, context):
    image(tmp_path / "1.png")
    (tmp_path / "metadata.csv").write_text("")

    assert '1 image directly in it (metadata.csv may say them: the data set "table" reads it)' in refusal(
        tmp_path, context
    )


def test_images_beside_class_folders(tmp_path, context):
    classes(tmp_path)
    image(tmp_path / "loose.png")

    assert 'beside the class folders; move them, or say leave_out = ["./*.png"]' in refusal(tmp_path, context)
    _, counts, notes = seen(tmp_path, context, leave_out=["./*.png"])
    assert counts == ((7, 7), (1, 1), (2, 2))
    assert "left out: 1 by 'leave_out' in ./" in notes


@pytest.mark.parametrize("name", ["x.nii.gz", "x.jp2", "x.avif", "x.npy", "x.exr"])
def test_files_of_other_kinds_among_images(tmp_path, context, name):
    classes(tmp_path)
    (tmp_path / "malignant" / name).write_bytes(bytes(128) + b"DICM")

    line = refusal(tmp_path, context)

    assert "malignant: has 1 " in line
    pattern = re.search(r"leave_out = (\[.*\])", line)[1].strip('[]"')
    assert seen(tmp_path, context, leave_out=[pattern])[1] == ((7, 7), (1, 1), (2, 2))


@pytest.mark.parametrize("name", ["x.dcm", "IM0001", "x.bin", "1.2.840.113619.2.5", "x.IMA"])
def test_dicom_among_images_of_other_kinds(tmp_path, context, name):
    classes(tmp_path)
    (tmp_path / "malignant" / name).write_bytes(bytes(128) + b"DICM")

    line = refusal(tmp_path, context)

    assert f"1 of 21 images are DICOM (malignant/{name}, say) and the others are not" in line
    pattern = re.search(r"leave_out = (\[.*?\])", line)[1].strip('[]"')
    assert seen(tmp_path, context, leave_out=[pattern])[1] == ((7, 7), (1, 1), (2, 2))


def test_a_directory_file_of_dicom_is_no_image(tmp_path, context):
    classes(tmp_path)
    (tmp_path / "malignant" / "DICOMDIR").write_bytes(bytes(128) + b"DICM")

    assert "left out: 1 file without an ending in malignant/" in seen(tmp_path, context)[2]


def test_masks_beside_images(tmp_path, context):
    classes(tmp_path)
    for index in range(10):
        image(tmp_path / "benign" / f"{index:02}_mask.png")
    image(tmp_path / "benign" / "00_mask_1.png")

    line = refusal(tmp_path, context)

    assert "benign: 11 of 21 images look like masks of the others (00_mask.png, say)" in line
    assert 'leave_out = ["*_mask*"]' in line
    assert seen(tmp_path, context, leave_out=["*_mask*"])[1] == ((7, 7), (1, 1), (2, 2))
    assert sum(count[0] for count in seen(tmp_path, context, leave_out=[])[1]) == 21


def test_images_of_one_name_with_two_endings(tmp_path, context):
    """Masks beside photographs, as ISIC has them."""
    for name in TWO:
        for index in range(10):
            image(tmp_path / name / f"{index:02}.jpg")
            image(tmp_path / name / f"{index:02}.png")

    line = refusal(tmp_path, context)

    assert "benign: 10 of 20 images have the name of another with another ending (00.png, say)" in line
    assert seen(tmp_path, context, leave_out=["*.png"])[1] == ((7, 7), (1, 1), (2, 2))
    assert sum(count[0] for count in seen(tmp_path, context, leave_out=[])[1]) == 20


def test_augmented_images_in_a_class(tmp_path, context):
    classes(tmp_path)
    classes(tmp_path / "benign", ["augmented"])

    assert 'say leave_out = ["augmented"], or leave_out = []' in refusal(tmp_path, context)
    assert seen(tmp_path, context, leave_out=["augmented"])[1] == ((7, 7), (1, 1), (2, 2))


def test_masks_as_classes(tmp_path, context):
    names = ["benign", "benign_mask", "malignant", "malignant_mask"]
    classes(tmp_path, names)

    assert 'benign_mask/ looks like masks of the class beside it; say leave_out = ["*_mask*"]' in refusal(
        tmp_path, context
    )
    assert seen(tmp_path, context, leave_out=["*_mask*"])[0] == TWO
    assert seen(tmp_path, context, classes=names)[0] == tuple(names)


def test_patients_in_classes_are_warned_of_where_splits_are_drawn(tmp_path, context):
    for name in TWO:
        classes(tmp_path / "drawn" / name, ["P01", "P02", "P03"], 4)
    for split in ("train", "val", "test"):
        for label, name in enumerate(TWO):
            classes(tmp_path / "given" / split / name, [f"P{len(split)}{label}1", f"P{len(split)}{label}2"], 4)

    (line,) = folder(context, path=tmp_path / "drawn", size=8).info().warnings
    assert line.startswith("3 folders in benign/ look like people or cases, and splits are drawn by image")
    assert folder(context, path=tmp_path / "given", size=8).info().warnings == ()


def test_other_folders_in_classes_are_noted(tmp_path, context):
    for name in TWO:
        classes(tmp_path / name, ["40X", "100X"])

    notes = seen(tmp_path, context)[2]
    assert "read the folders in class folders as images of the class (40X/, 100X/ in benign/)" in notes


def test_a_folder_of_masks_in_a_class(tmp_path, context):
    for name in TWO:
        classes(tmp_path / name, ["images", "masks"])

    assert 'leave_out = ["masks"]' in refusal(tmp_path, context)
    assert seen(tmp_path, context, leave_out=["masks"])[1] == ((7, 7), (1, 1), (2, 2))


def test_an_empty_class_of_a_split_is_noted_and_an_empty_split_refused(tmp_path, context):
    splits(tmp_path, "train", "val", "test", classes_of=("a", "b", "c"))
    shutil.rmtree(tmp_path / "val" / "c")
    (tmp_path / "val" / "c").mkdir()

    _, counts, notes = seen(tmp_path, context)

    assert counts == ((10, 10, 10), (4, 4, 0), (4, 4, 4))
    assert "no val images of c" in notes
    shutil.rmtree(tmp_path / "val")
    (tmp_path / "val").mkdir()
    assert "val: holds no images; a split needs some" in refusal(tmp_path, context)


def test_a_single_class_folder_says_where_classes_may_be(tmp_path, context):
    classes(tmp_path / "BreaKHis" / "breast")

    line = refusal(tmp_path, context)

    assert f'say path = "{tmp_path / "BreaKHis" / "breast"}"' in line


@pytest.mark.parametrize(
    ("parameters", "line"),
    [
        ({"splits": {"test": "test"}}, "'splits' names no folder of train"),
        ({"splits": {"train": "trian"}}, "there is no folder trian in it (did you mean 'train'?)"),
        ({"splits": {"train": "../x"}}, "../x is not a folder below it"),
        ({"splits": {"train": "train", "test": ["test", "train"]}}, "'splits' names train twice"),
        ({"classes": ["benign", "maligant"]}, "there is no folder maligant in it (did you mean 'malignant'?)"),
        ({"classes": ["benign", "benign"]}, "'classes': a name appears twice"),
        ({"classes": ["benign"]}, "has 1 class folder;"),
    ],
)
def test_parameters_that_the_folder_does_not_fit(tmp_path, context, parameters, line):
    splits(tmp_path, "train", "test")

    with pytest.raises(DataError) as caught:
        folder(context, path=tmp_path, size=8, **parameters).info()
    assert line in str(caught.value)


def test_classes_in_the_order_of_the_suite(tmp_path, context):
    classes(tmp_path, ["mild", "none", "severe", "notes"])

    info = folder(context, path=tmp_path, size=8, classes=["none", "mild", "severe"]).info()

    assert info.classes == ("none", "mild", "severe")
    assert "left out: 10 images outside of the classes in notes/" in info.notes
    other = folder(context, path=tmp_path, size=8, classes=["mild", "none", "severe"])
    assert other.fingerprint() != folder(context, path=tmp_path, size=8, classes=list(info.classes)).fingerprint()


def test_a_reading_that_was_always_right_keeps_its_fingerprint(tmp_path, context):
    """Results that exist stay valid: as the release before, it hashes names and contents, and nothing else."""
    import hashlib

    for root, layout in (
        (tmp_path / "a", ("train", "val", "test")),
        (tmp_path / "b", ("train",)),
        (tmp_path / "c", ()),
    ):
        splits(root, *layout) if layout else classes(root)
        digest = hashlib.sha256()
        for name in list_images(root).names:
            content = hashlib.sha256((root / name).read_bytes()).hexdigest()
            digest.update(f"{name}\0{content}\n".encode())

        assert folder(context, path=root).fingerprint() == f"sha256:{digest.hexdigest()}"


def test_two_readings_of_the_same_files_have_two_fingerprints(tmp_path, context):
    splits(tmp_path, "Train", "Val")

    as_splits = folder(context, path=tmp_path).fingerprint()
    as_classes = folder(context, path=tmp_path, classes=["Train", "Val"]).fingerprint()
    swapped = folder(context, path=tmp_path, splits={"train": "Val", "val": "Train"}).fingerprint()

    assert len({as_splits, as_classes, swapped}) == 3


WORDS = ("train", "Training", "valid", "test", "benign", "malignant", "images", "masks", "fold_1", "P12", "0", "1")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sets(
        st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS), st.sampled_from([*WORDS, ""])), min_size=1, max_size=7
    )
)
def test_every_image_is_read_or_counted_or_the_folder_refused(tmp_path, paths):
    root = tmp_path / "scans"
    shutil.rmtree(root, ignore_errors=True)
    for parts in paths:
        image(Path(root, *filter(None, parts), "0.png"))
    total = len(list(root.rglob("*.png")))

    try:
        listing = list_images(root)
    except DataError as error:
        assert str(root) in str(error)  # noqa: PT017
        return

    left = sum(int(n) for note in listing.notes for n in re.findall(r"left out: (\d+) images? outside", note))
    assert len(set(listing.names)) + left == total
    for name, label, split in zip(listing.names, listing.labels, listing.found_in, strict=True):
        assert listing.classes[label].casefold() in name.casefold().split("/")
        assert split == "train" or any(split_named(part) == split for part in name.split("/"))
