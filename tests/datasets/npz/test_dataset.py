from __future__ import annotations

import hashlib
import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from medssl_bench.datasets import Task
from medssl_bench.datasets.npz.dataset import npz
from medssl_bench.errors import DataError


@pytest.fixture
def make(tmp_path, context):
    """Write arrays as an npz file and return the data set."""

    def make(arrays, **parameters):
        path = tmp_path / "own.npz"
        np.savez_compressed(path, **arrays)
        return npz(context, path=path, **parameters)

    return make


def changed(arrays, **changes):
    return {key: value for key, value in {**arrays, **changes}.items() if value is not None}


def test_grey_images(make, arrays):
    info = make(arrays).info()

    assert (info.channels, info.size, info.task, info.classes) == (1, 8, Task.MULTI_CLASS, ("0", "1", "2"))
    assert info.counts == {"train": 12, "val": 6, "test": 9}
    assert info.class_counts == (4, 4, 4)
    assert (info.title, info.licence, info.source, info.generated) == ("own", "unknown", "", False)


def test_images_and_labels_are_those_of_the_file(make, arrays):
    splits = make(arrays).load()

    for split, values in splits.items():
        np.testing.assert_array_equal(values.images, arrays[f"{split}_images"])
        np.testing.assert_array_equal(values.labels, arrays[f"{split}_labels"])
        assert (values.images.dtype, values.labels.dtype) == (np.uint8, np.int64)
        assert values.images.flags.writeable


def test_rgb_images(make, arrays):
    rgb = {key: np.repeat(a[..., None], 3, -1) if "images" in key else a for key, a in arrays.items()}
    dataset = make(rgb)

    assert dataset.info().channels == 3
    assert dataset.load()["val"].images.shape == (6, 8, 8, 3)


def test_a_single_channel_axis_is_dropped(make, arrays):
    dataset = make({key: a[..., None] if "images" in key else a for key, a in arrays.items()})

    assert dataset.info().channels == 1
    np.testing.assert_array_equal(dataset.load()["test"].images, arrays["test_images"])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_way_of_saving(tmp_path, context, arrays, order, save):
    save(tmp_path / "a.npz", **{key: np.asarray(array, order=order) for key, array in arrays.items()})

    images = npz(context, path=tmp_path / "a.npz").load()["train"].images

    np.testing.assert_array_equal(images, arrays["train_images"])


def test_flat_labels(make, arrays):
    dataset = make({key: a.ravel() if "labels" in key else a for key, a in arrays.items()})

    assert dataset.load()["train"].labels.shape == (12, 1)


def test_labels_of_two_classes_are_binary(make, arrays):
    dataset = make({key: a % 2 if "labels" in key else a for key, a in arrays.items()})

    assert dataset.info().task is Task.BINARY


def test_several_columns_are_multi_label(make, arrays):
    dataset = make({key: np.hstack([a % 2, a // 2]) if "labels" in key else a for key, a in arrays.items()})
    info = dataset.info()

    assert (info.task, info.classes, info.class_counts) == (Task.MULTI_LABEL, ("0", "1"), None)
    assert dataset.load()["test"].labels.shape == (9, 2)


def test_one_column_can_be_multi_label_when_asked(make, arrays):
    dataset = make({k: a % 2 if "labels" in k else a for k, a in arrays.items()}, task="multi-label", classes=["x"])

    assert (dataset.info().task, dataset.info().classes) == (Task.MULTI_LABEL, ("x",))


def test_given_task_and_names(make, arrays):
    info = make(
        arrays, task="ordinal", classes=["mild", "bad", "worse", "worst"], title="T", licence="CC0", source="S"
    ).info()

    assert (info.task, info.title, info.licence, info.source) == (Task.ORDINAL, "T", "CC0", "S")
    assert info.classes == ("mild", "bad", "worse", "worst")
    assert info.class_counts == (4, 4, 4, 0)


def test_a_file_that_is_not_there(tmp_path, context):
    dataset = npz(context, path=tmp_path / "none.npz")

    assert dataset.info() is None
    assert dataset.fingerprint() is None
    with pytest.raises(DataError, match=r"none\.npz: there is no such file"):
        dataset.load()


def test_fingerprint_is_the_content(make, arrays):
    dataset = make(arrays)

    assert dataset.fingerprint() == f"sha256:{hashlib.sha256(dataset.path.read_bytes()).hexdigest()}"


def test_damaged_pixels_are_told_before_they_are_needed(tmp_path, context, arrays):
    path = tmp_path / "a.npz"
    large = {key: np.tile(array, (1, 8, 8)) if "images" in key else array for key, array in arrays.items()}
    np.savez(path, **large)
    path.write_bytes(path.read_bytes().replace(large["test_images"][3].tobytes(), bytes(64 * 64)))

    assert "test_images: damaged (Bad CRC-32" in error_of(npz(context, path=path))


def test_pixels_are_read_once_while_the_file_stays(make, arrays, monkeypatch):
    dataset = make(arrays)
    info = dataset.info()
    monkeypatch.setattr("medssl_bench.datasets.pixel_range.Levels.of", None)  # reading again would fail

    assert dataset.info() == info
    os.utime(dataset.path, ns=(0, 0))
    with pytest.raises(TypeError):
        dataset.info()


def error_of(dataset):
    """Return the one line that both info and load raise."""
    with pytest.raises(DataError) as of_info:
        dataset.info()
    with pytest.raises(DataError) as of_load:
        dataset.load()
    assert str(of_info.value) == str(of_load.value)
    assert "\n" not in str(of_info.value)
    assert str(dataset.path) in str(of_info.value)
    return str(of_info.value)


IMAGES = np.zeros((12, 8, 8), np.uint8)
COLUMN = (np.arange(12) % 3).astype(np.int64)[:, None]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"val_labels": None, "test_images": None}, "has no val_labels, test_images; an npz data set has the arrays"),
        (
            {"train_images": IMAGES.astype(float)},
            "train_images: has elements of type float64, whose values go from 0 to 0 (multiply by 255",
        ),
        ({"train_images": IMAGES[0]}, "train_images: has shape (8, 8); it must be (N, size, size)"),
        ({"train_images": IMAGES[..., None].repeat(4, -1)}, "train_images: has shape (12, 8, 8, 4)"),
        ({"train_images": IMAGES[:, :, :6]}, "train_images: has shape (12, 8, 6); the images must be square"),
        ({"train_images": IMAGES[:, :0, :0]}, "train_images: has shape (12, 0, 0); the images must be square"),
        ({"train_images": IMAGES[:0], "train_labels": COLUMN[:0]}, "train_images: holds no images"),
        ({"train_images": IMAGES[:, :6, :6]}, "val_images: 8 pixels wide with 1 channels, where train_images are 6"),
        ({"train_images": IMAGES[..., None].repeat(3, -1)}, "val_images: 8 pixels wide with 1 channels"),
        ({"train_images": IMAGES[:9]}, "train_labels: has shape (12, 1); 9 images need labels of shape (9, 1)"),
        ({"train_labels": COLUMN.astype(float)}, "train_labels: has elements of type float64; labels must be integers"),
        ({"train_labels": COLUMN.astype(str)}, "train_labels: has elements of type <U21"),
        ({"train_labels": COLUMN.astype(object)}, "train_labels: holds Python objects"),
        ({"train_images": IMAGES.astype(object)}, "train_images: holds Python objects"),
        ({"train_labels": COLUMN[:, :0]}, "train_labels: has shape (12, 0)"),
        ({"train_labels": COLUMN[..., None]}, "train_labels: has shape (12, 1, 1)"),
        ({"train_labels": COLUMN - 1}, "train_labels: row 0 has a label out of range; class numbers start from 0"),
        ({"train_labels": COLUMN.astype(np.uint64) + np.uint64(2**63)}, "train_labels: row 0 has a label out of range"),
        ({"train_labels": COLUMN * 0}, "all training images have the same class"),
        ({"train_labels": COLUMN * 2}, "no image has label 3, but one has label 4"),
        ({"train_labels": COLUMN * 10**15}, "no image has label 3, but one has label 2000000000000000"),
        ({"val_labels": COLUMN[:6] * 0}, "val_labels: all val images have the same class; no metric on them"),
        ({"test_labels": COLUMN[:9] * 0}, "test_labels: all test images have the same class"),
        ({"train_labels": np.zeros((12, 10_001), np.uint8)}, "train_labels: has 10,001 columns; a multi-label set has"),
        ({"train_labels": COLUMN.reshape(12, *[1] * 9)}, "train_labels: has 10 axes; 12 images need labels of shape"),
        ({"train_labels": np.hstack([COLUMN, COLUMN])}, "val_labels: has another number of columns than train_labels"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(make, arrays, changes, message):
    assert message in error_of(make(changed(arrays, **changes)))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"task": "binary"}, "has 3 classes; the task 'binary' needs two"),
        ({"task": "multi-label"}, "train_labels: has 1 columns with numbers other than 0 and 1"),
        ({"classes": ["a", "b"]}, "train_labels: label 2 is out of range; 2 names of classes mean labels from 0 to 1"),
        ({"classes": ["a", "b", "a"]}, "classes: a name appears twice"),
    ],
)
def test_parameters_that_contradict_the_file(make, arrays, parameters, message):
    assert message in error_of(make(arrays, **parameters))


def test_columns_that_contradict_the_parameters(make, arrays):
    columns = {key: np.eye(3, dtype=np.uint8)[a[:, 0]] if "labels" in key else a for key, a in arrays.items()}

    assert "has 3 columns; the task 'multi-class' needs one" in error_of(make(columns, task="multi-class"))
    assert "classes: has 2 names for 3 columns" in error_of(make(columns, classes=["a", "b"]))


def test_one_hot_classes_are_not_taken_for_several_labels(make, arrays):
    columns = {key: np.eye(3, dtype=np.uint8)[a[:, 0]] if "labels" in key else a for key, a in arrays.items()}

    assert "every row of labels has a single 1, as one-hot classes have; give class" in error_of(make(columns))
    assert make(columns, task="multi-label").info().task is Task.MULTI_LABEL


@pytest.mark.parametrize("device", [False, True])
def test_what_never_ends_is_not_read(tmp_path, context, device):
    path = tmp_path / "a.npz"
    path.symlink_to("/dev/zero") if device else os.mkfifo(path)

    assert "not a file, but a pipe or a device" in error_of(npz(context, path=path))


def test_a_folder_is_not_a_file(tmp_path, context):
    assert "the data set 'folder'" in error_of(npz(context, path=tmp_path))


def test_a_file_of_another_kind(tmp_path, context):
    path = tmp_path / "a.npz"
    path.write_text("not a zip file")

    assert "not an npz file, or a damaged one" in error_of(npz(context, path=path))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_is_read_right_or_refused(make, arrays, data):
    """Cut off or overwrite some bytes: the content is the same as before, or there is one clear line."""
    dataset = make(arrays)
    content = bytearray(dataset.path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1), "place")
    if data.draw(st.booleans(), "cut"):
        content = content[:place]
    else:
        content[place : place + 4] = data.draw(st.binary(min_size=1, max_size=4), "bytes")
    dataset.path.write_bytes(content)

    try:
        dataset.info()
        splits = dataset.load()
    except DataError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        for split, values in splits.items():
            np.testing.assert_array_equal(values.images, arrays[f"{split}_images"])
            np.testing.assert_array_equal(values.labels, arrays[f"{split}_labels"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(labels=npst.arrays(np.int8, st.tuples(st.just(12), st.integers(1, 3)), elements=st.integers(-1, 3)))
def test_any_labels_are_taken_as_they_are_or_refused(make, arrays, labels):
    dataset = make(changed(arrays, train_labels=labels))

    try:
        info = dataset.info()
    except DataError:
        return
    assert info.task in {Task.BINARY, Task.MULTI_CLASS, Task.MULTI_LABEL}
    np.testing.assert_array_equal(dataset.load()["train"].labels, labels)
    if info.val_class_counts:
        assert sum(info.val_class_counts) == info.counts["val"]
    if info.class_counts:
        assert sum(info.class_counts) == 12
        assert len(info.class_counts) == len(info.classes)


def test_images_without_labels(make, arrays):
    pool = np.random.default_rng(1).integers(0, 256, (25, 8, 8, 1), dtype=np.uint8)
    assert make(arrays).info().unlabelled == 0
    found = make(changed(arrays, unlabelled_images=pool))
    assert (found.info().unlabelled, found.info().counts) == (25, {"train": 12, "val": 6, "test": 9})
    assert np.array_equal(found.load_unlabelled().images, pool[..., 0])
    assert set(found.load()) == {"train", "val", "test"}


@pytest.mark.parametrize(
    ("pool", "what"),
    [
        (np.full((5, 9, 9), 9, np.uint8), "unlabelled_images: 9 pixels wide with 1 channels, where train_images are 8"),
        (np.full((5, 8, 8, 3), 9, np.uint8), "unlabelled_images: 8 pixels wide with 3 channels"),
        (np.zeros((5, 8, 8), np.uint8), "unlabelled_images: all 5 images of unlabelled_images are black"),
        (np.zeros((5, 8, 8)), "unlabelled_images: has elements of type float64"),
        (np.zeros((0, 8, 8), np.uint8), "unlabelled_images: holds no images"),
    ],
)
def test_other_images_without_labels_are_refused(make, arrays, pool, what):
    with pytest.raises(DataError, match=what):
        make(changed(arrays, unlabelled_images=pool)).info()
