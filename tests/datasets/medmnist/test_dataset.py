from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from medssl_bench.datasets import Task
from medssl_bench.datasets.download import Downloadable, RemoteFile
from medssl_bench.datasets.medmnist import dataset as medmnist
from medssl_bench.datasets.medmnist.info import published
from medssl_bench.errors import DataError


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """``medmnist.INFO`` as Python itself sees it; the import makes a folder in the home directory."""
    code = "import json, medmnist; print(json.dumps(medmnist.INFO))"
    environment = os.environ | {"HOME": str(tmp_path_factory.mktemp("home"))}
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=environment, capture_output=True, check=True
    )
    return json.loads(result.stdout)


def test_the_table_is_that_of_the_package(imported):
    assert published() == imported


def test_the_flags_are_the_2d_sets_of_the_package(imported):
    assert set(medmnist.FLAGS) == {flag for flag in imported if not flag.endswith("3d")}


@pytest.mark.parametrize("size", [28, 64, 128, 224])
@pytest.mark.parametrize("flag", medmnist.FLAGS)
def test_every_set_at_every_size(imported, context, flag, size):
    facts = imported[flag]
    suffix = "" if size == 28 else f"_{size}"

    dataset = getattr(medmnist, flag)(context, size=size)
    info = dataset.info()

    assert dataset.fingerprint() == f"md5:{facts[f'MD5{suffix}']}"
    assert dataset.file == RemoteFile(f"{flag}{suffix}.npz", facts[f"url{suffix}"], facts[f"MD5{suffix}"])
    assert facts[f"url{suffix}"].startswith("https://")
    assert f"/{flag}{suffix}.npz" in facts[f"url{suffix}"]
    assert (info.title, info.size, info.channels, info.licence) == (
        facts["python_class"],
        size,
        facts["n_channels"],
        facts["license"],
    )
    assert info.counts == facts["n_samples"]
    assert dict(enumerate(info.classes)) == {int(number): name for number, name in facts["label"].items()}
    assert not info.generated


@pytest.mark.parametrize(
    ("flag", "task", "classes"),
    [
        ("pathmnist", Task.MULTI_CLASS, 9),
        ("chestmnist", Task.MULTI_LABEL, 14),
        ("pneumoniamnist", Task.BINARY, 2),
        ("retinamnist", Task.ORDINAL, 5),
    ],
)
def test_tasks(context, flag, task, classes):
    info = getattr(medmnist, flag)(context).info()

    assert (info.task, len(info.classes)) == (task, classes)


def test_a_flag_that_is_none():
    assert not hasattr(medmnist, "organmnist3d")


def test_planning_needs_no_files(context):
    dataset = medmnist.bloodmnist(context)

    assert dataset.info().counts == {"train": 11959, "val": 1712, "test": 3421}
    assert not dataset.is_present()
    assert not context.data_dir.exists()


@pytest.fixture
def small(server, context, arrays, tmp_path):
    """A set whose published file is a small one on the test's own server."""
    np.savez_compressed(tmp_path / "small.npz", **arrays)
    content = (tmp_path / "small.npz").read_bytes()
    server.files["octmnist.npz"] = content
    dataset = medmnist.octmnist(context)
    dataset.file = RemoteFile("octmnist.npz", f"{server.url}/octmnist.npz", hashlib.md5(content).hexdigest())
    return dataset


def test_loads_what_it_downloads(small, arrays, context):
    assert isinstance(small, Downloadable)
    splits = small.load()

    assert small.is_present()
    assert (context.data_dir / "octmnist.npz").is_file()
    for split, values in splits.items():
        np.testing.assert_array_equal(values.images, arrays[f"{split}_images"])
        np.testing.assert_array_equal(values.labels, arrays[f"{split}_labels"])
        assert (values.images.dtype, values.labels.dtype) == (np.uint8, np.int64)


def test_a_set_that_cannot_be_had(context):
    dataset = medmnist.pathmnist(context, size=64)
    dataset.file = RemoteFile(dataset.file.name, "http://127.0.0.1:9/pathmnist_64.npz", dataset.file.md5)

    with pytest.raises(DataError) as caught:
        dataset.load()

    message = str(caught.value)
    wanted = (dataset.file.url, "pathmnist_64.npz", "55aa9c1e0525abe5a6b9d8343a507616", str(context.data_dir))
    assert all(part in message for part in wanted)
    assert "\n" not in message


def test_images_are_counted_by_class_once_the_file_is_there(small, arrays, context):
    assert small.info().class_counts is None
    small.load()
    assert small.info().class_counts == tuple(np.bincount(arrays["train_labels"].ravel(), minlength=4).tolist())
    assert small.info().val_class_counts == tuple(np.bincount(arrays["val_labels"].ravel(), minlength=4).tolist())
    (context.data_dir / "octmnist.npz").write_bytes(b"PK damaged")
    assert small.info().class_counts is None
