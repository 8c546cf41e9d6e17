"""Features from a file: the images that rows are of, and what is wrong with files, in one line each."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from medssl_bench import Suite, run
from medssl_bench.datasets.locations import dataset_context
from medssl_bench.encoders.brought import BroughtFeatures
from medssl_bench.encoders.brought_file import read_split, require_features
from medssl_bench.errors import DataError, StageError, SuiteError
from medssl_bench.plan.build import build_plan

COUNTS = {"train": 40, "val": 16, "test": 24}
RNG = np.random.default_rng(0)
LABELS = {name: RNG.integers(0, 3, (count, 1)) for name, count in COUNTS.items()}
FEATURES = {name: RNG.normal(size=(count, 6)) for name, count in COUNTS.items()}


@pytest.fixture
def write(tmp_path: Path):
    def write(**changes):
        arrays = {f"{name}_features": found for name, found in FEATURES.items()} | changes
        file = tmp_path / "hub.npz"
        np.savez(file, **{name: array for name, array in arrays.items() if array is not None})
        return file

    return write


def test_rows_stand_in_the_order_of_the_data_set(write):
    encoder = BroughtFeatures(write(val_labels=LABELS["val"]))
    assert encoder.dim == 6
    for name, features in FEATURES.items():
        found = encoder.brought(name, LABELS[name], None)
        assert found.dtype == torch.float32
        np.testing.assert_array_equal(found, features.astype(np.float32))


def test_a_data_set_may_have_no_validation_images(write):
    file = write(val_features=np.empty((0, 6)), val_labels=np.empty((0, 1), np.int64))
    assert read_split(file, "val", np.empty((0, 1), np.int64), None).shape == (0, 6)


def test_rows_are_found_by_name(write):
    names = [f"{place}.png" for place in range(40)]
    order = np.random.default_rng(1).permutation(40)[:30]
    told = [*np.array(names)[order], "another.png"]
    features, labels = np.vstack([FEATURES["train"][order], np.zeros(6)]), np.append(LABELS["train"][order], [[0]])
    file = write(train_features=features, train_labels=labels, train_names=np.array(told))
    wanted = sorted(order)
    found = read_split(file, "train", LABELS["train"][wanted], [names[place] for place in wanted])
    np.testing.assert_array_equal(found, FEATURES["train"][wanted].astype(np.float32))


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"val_features": None}, "has no val_features; a file of features has train_features, val_features, test_feat"),
        ({"val_features": np.zeros((16, 5))}, "images have features of different lengths: 6 of train_features, 5 of v"),
        ({"val_features": np.zeros(16)}, "val_features has shape (16,) and type float64; (images, features) of numb"),
        ({"val_features": np.full((16, 6), "a")}, "val_features has shape (16, 6) and type <U1; (images, features) of"),
        ({"val_features": np.zeros((16, 0))}, "val_features has shape (16, 0) and type float64; (images, features)"),
        ({"val_ids": np.arange(16)}, "val_ids is not read; call it val_names if it has the names of the files that"),
        ({"test_file_names": np.full(24, "a")}, "test_file_names is not read; call it test_names if it has the names"),
    ],
)
def test_a_file_without_features_is_refused_by_its_headers(write, changes, wanted):
    with pytest.raises(ValueError, match=r"features|names") as caught:
        require_features(write(**changes))
    assert str(caught.value).startswith(wanted)


@pytest.mark.parametrize(
    ("changes", "names", "wanted"),
    [
        ({"val_features": np.zeros((15, 6))}, None, "val_features has 15 rows; the data set has 16 images"),
        ({"val_labels": (LABELS["val"] + 1) % 3}, None, "val_labels are not those of the data set, so rows may stand"),
        ({"val_labels": LABELS["val"][:9]}, None, "val_labels has 9 rows, and val_features 16: one is needed for each"),
        ({"val_names": np.full(17, "a")}, ["a"] * 16, "val_names has 17 rows, and val_features 16: one is needed for"),
        ({"val_names": np.full((16, 2), "a")}, ["a"] * 16, "val_names has 32 rows, and val_features 16: one is neede"),
        ({"val_features": np.full((16, 6), 1e300)}, None, "val_features has values that are no finite numbers in fl"),
        ({"val_features": np.full((16, 6), np.nan)}, None, "val_features has values that are no finite num"),
        ({"val_names": np.array(["a"] * 16)}, None, "has val_names, and the images of this data set have no names; "),
        ({"val_names": np.array(["a"] * 16)}, list("abcdefghijklmnop"), "val_names has 'a' twice"),
        (
            {"val_names": np.array(list("abcdefghijklmnoz"))},
            list("abcdefghijklmnop"),
            "1 images of val have no row, such as 'p'; val_names has 'a' and so on",
        ),
        ({"val_labels": np.full(16, "nevus")}, None, "val_labels are no numbers: write the number of each class, from"),
    ],
)
def test_features_of_other_images_are_refused(write, changes, names, wanted):
    with pytest.raises(DataError) as caught:
        read_split(write(**changes), "val", LABELS["val"], names)
    assert str(caught.value).partition("hub.npz: ")[2].startswith(wanted)


def _table(tmp_path, **columns):
    splits = [name for name, count in COUNTS.items() for _ in range(count)]
    file = tmp_path / "hub.parquet"
    pd.DataFrame({"split": splits, **columns}).to_parquet(file)
    return file


@pytest.mark.parametrize("are_listed", [True, False])
def test_a_parquet_file_has_a_row_for_each_image(tmp_path, are_listed):
    every = np.vstack(list(FEATURES.values()))
    names = [f"{name}/{place}.png" for name, count in COUNTS.items() for place in range(count)]
    columns = {"features": list(every)} if are_listed else {f"feature_{d}": every[:, d] for d in range(6)}
    labels = np.vstack(list(LABELS.values()))[:, 0]
    file = _table(tmp_path, name=names, label=labels, **columns)
    shuffled = pd.read_parquet(file).sample(frac=1, random_state=0)
    shuffled.to_parquet(file)
    require_features(file)
    assert BroughtFeatures(file).dim == 6
    for name, features in FEATURES.items():
        here = [each for each in names if each.startswith(f"{name}/")]
        found = read_split(file, name, LABELS[name], here)
        np.testing.assert_array_equal(found, features.astype(np.float32))


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ({"split": ["train"] * 79 + ["held out"]}, "column split has 'held out'; there are: train, val, test"),
        ({"vector": [[1.0]] * 80}, "has no column features, and no feature_0, feature_1, ...; it has split, vector"),
        ({"features": [[1.0]] * 79 + [[1.0, 2.0]]}, "column features is not of numbers, or of lists of one length"),
        ({"features": ["a"] * 80}, "column features is not of numbers"),
        ({"features": [[1.0]] * 80, "feature_0": [1.0] * 80}, "has columns features and feature_0; leave out those"),
        (
            {"features": [[1.0]] * 80, "label": ["a"] * 80},
            "column label is not of numbers, or of lists of one length, in each row; write the number of each class",
        ),
        ({"feature_0": [1.0] * 80, "feature_2": [1.0] * 80}, "has no column of feature 1, and later ones"),
        ({"feature_0": [1.0] * 80, "feature_99999999999999": [1.0] * 80}, "has no column of feature 1, and later ones"),
        ({"feature_0": [1.0] * 80, "feature0": [1.0] * 80}, "has columns feature_0 and feature0, which are the same"),
        ({"features": [[1.0]] * 80, "image_id": ["a"] * 80}, "column image_id is not read; call it name if it has the"),
        ({"features": [None] + [[1.0]] * 79}, "column features is not of numbers, or of lists of one length"),
        ({"features": [[[1.0]]] * 80}, "column features is not of numbers, or of lists of one length"),
        ({"features": [[True]] * 80}, "column features is not of numbers, or of lists of one length"),
    ],
)
def test_a_parquet_file_without_features_is_one_line(tmp_path, columns, wanted):
    with pytest.raises(ValueError, match="column") as caught:
        require_features(_table(tmp_path, **columns))
    assert str(caught.value).startswith(wanted)


def test_one_array_is_no_file_of_features(tmp_path):
    np.save(tmp_path / "hub.npy", FEATURES["train"])
    with pytest.raises(
        ValueError, match=r"one array does not say .* numpy\.savez\(file, train_features=\.\.\., val_fea"
    ):
        require_features(tmp_path / "hub.npy")


def test_a_damaged_parquet_file_is_one_line(tmp_path):
    file = tmp_path / "hub.parquet"
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match="not a Parquet file, or a damaged one"):
        require_features(file)


def test_no_other_image_is_encoded(write):
    with pytest.raises(StageError, match=r"hub\.npz has features of the images of a data set; it can encode no other"):
        BroughtFeatures(write())(torch.zeros(1, 3, 28, 28))


SUITE = """\
schema = 1
name = "brought"
seeds = [0, 1]

[dataset.cells]
name = "phantom_cells"
train = 40
val = 16
test = 24

[encoder.hub]
name = "features"
file = "hub.npz"

[pretraining.crops]
encoder = "hub"
augmentation = "simclr"
epochs = 1
batch_size = 8

[[comparison]]
id = "table"
datasets = ["cells"]
labels = ["all"]
floors = []
FOLDS

  [[comparison.arm]]
  name = "hub"
  ARM
"""
PROBED = 'encoder = "hub"\n  evaluator = "logistic"'


def suite(write, arm: str, folds: str = "") -> Suite:
    file = write().with_name("suite.toml")
    file.write_text(SUITE.replace("ARM", arm).replace("FOLDS", folds))
    return Suite.load(file)


def test_they_stand_in_a_table_that_says_so(write, tmp_path):
    result = run(suite(write, PROBED), store=tmp_path / "store", data_dir=tmp_path, device="cpu", executor="local")
    embedded, judged = result.done
    assert (embedded.stage.kind, judged.stage.kind) == ("embed", "evaluate"), "two seeds, and neither draws anything"
    (cell,) = [cell for cell in result.leaderboard.cells() if cell.metric == "accuracy"]
    (value,) = cell.values  # of two seeds one
    assert value.flags["brought_features"].startswith("its features were brought from a file")


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"test_features": np.zeros((23, 6))}, "test_features has 23 rows; test of data set 'cells' has 24 images"),
        ({"train_features": np.zeros((41, 6))}, "train_features has 41 rows; train of data set 'cells' has 40 images"),
        ({"val_features": np.zeros((15, 6)), "val_names": np.full(15, "a")}, "val_features has 15 rows; val of data"),
        ({"val_features": np.zeros((17, 6)), "val_names": np.full(17, "a")}, ""),  # images are found by name later
    ],
)
def test_a_plan_knows_that_rows_are_not_those_of_the_images(write, tmp_path, changes, wanted):
    loaded = suite(partial(write, **changes), PROBED)
    if not wanted:
        assert build_plan(loaded, dataset_context(tmp_path)).stages
        return
    with pytest.raises(SuiteError) as caught:
        build_plan(loaded, dataset_context(tmp_path))
    assert wanted in str(caught.value)
    assert "encoder.hub: " in str(caught.value), "where the file is named, once for all trials"
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("arm", "wanted"),
    [
        ('encoder = "hub"\n  evaluator = "finetune"', "evaluator: features from a file cannot be fine-tuned; they can"),
        ('pretraining = ["crops"]\n  evaluator = "knn"', "pretraining: features from a file cannot be pretrained; the"),
    ],
)
def test_nothing_trains_them(write, arm, wanted):
    with pytest.raises(SuiteError) as caught:
        suite(write, arm)
    assert wanted in str(caught.value)


def test_they_are_not_of_folds(write):
    with pytest.raises(SuiteError, match=r"\[0\]\.arm: features from a file are of the data set's own splits"):
        suite(write, PROBED, "folds = 2")
