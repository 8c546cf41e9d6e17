"""Data sets made of others, and the analysis of unknown classes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from medssl_bench_methods.shift.novelty import distance_to_neighbour, fpr95, mahalanobis
from scipy.spatial.distance import cdist, cosine
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_curve

import medssl_bench
from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import DataError
from medssl_bench.plugin.manager import load_plugins

CELLS = {"name": "phantom_cells", "train": 60, "val": 30, "test": 40}
OTHERS = {**CELLS, "seed": 1, "test": 50}
SIGNS = {"name": "phantom_layers", "task": "multi-label"}
PATIENTS = {**CELLS, "per_patient": 5}


@pytest.fixture(scope="module")
def registry():
    return load_plugins().registry


@pytest.fixture
def made(registry, tmp_path):
    def make(written):
        return registry.build(registry.resolve("dataset", written, Path()), context=DatasetContext(tmp_path, tmp_path))

    return make


def assert_as_it_says(dataset):
    info, splits = dataset.info(), dataset.load()
    assert {name: len(split) for name, split in splits.items()} == info.counts
    for name, counts in (("train", info.class_counts), ("test", info.test_class_counts)):
        if counts is not None:
            assert tuple(np.bincount(splits[name].labels[:, 0], minlength=len(info.classes))) == counts
    return info, splits


def test_a_union_has_the_images_of_all_one_after_the_other(made):
    info, splits = assert_as_it_says(made({"name": "union", "datasets": [CELLS, OTHERS]}))
    first, second = made(CELLS).load(), made(OTHERS).load()
    assert info.counts == {"train": 120, "val": 60, "test": 90}
    for name in splits:
        assert np.array_equal(splits[name].images, np.concatenate([first[name].images, second[name].images]))
        assert np.array_equal(splits[name].labels, np.concatenate([first[name].labels, second[name].labels]))


def test_patients_of_two_sets_stay_apart(made):
    splits = made({"name": "union", "datasets": [PATIENTS, {**PATIENTS, "seed": 1}]}).load()
    alone = [made(each).load() for each in (PATIENTS, {**PATIENTS, "seed": 1})]
    patients = sum(len(np.unique(np.concatenate([part.groups for part in each.values()]))) for each in alone)
    assert len(np.unique(np.concatenate([part.groups for part in splits.values()]))) == patients
    assert not set(splits["train"].groups) & set(splits["test"].groups)


def test_one_set_without_patients_leaves_all_without(made):
    splits = made({"name": "union", "datasets": [PATIENTS, CELLS]}).load()
    assert all(part.groups is None for part in splits.values())


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"name": "union", "datasets": [CELLS]}, "two or more"),
        ({"name": "union", "datasets": [CELLS, {**CELLS, "size": 32}]}, "differ in their size in pixels: 28 and 32"),
        ({"name": "shifted", "train": CELLS, "test": "phantom_layers"}, "differ in their"),
        ({"name": "without_classes", "base": CELLS, "classes": ["monocite"]}, "did you mean 'monocyte'"),
        (
            {"name": "without_classes", "base": {"name": "phantom_layers", "task": "multi-label"}, "classes": ["x"]},
            "several labels",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(made, written, said):
    with pytest.raises(DataError) as caught:
        made(written).info()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_training_here_and_testing_there(made):
    info, splits = assert_as_it_says(made({"name": "shifted", "train": CELLS, "test": OTHERS}))
    assert np.array_equal(splits["train"].images, made(CELLS).load()["train"].images)
    assert np.array_equal(splits["test"].images, made(OTHERS).load()["test"].images)
    assert "→" in info.title


def test_classes_in_another_order_are_mapped_by_name(made, tmp_path):
    for name, classes in (("one", ["a", "b", "c"]), ("two", ["c", "a", "b"])):
        arrays = {}
        for split in ("train", "val", "test"):
            labels = np.arange(12)[:, None] % 3
            letters = np.array(classes)[labels[:, 0]]
            shade = np.select([letters == "a", letters == "b"], [40, 120], 220).astype(np.uint8)
            arrays[f"{split}_images"] = np.broadcast_to(shade[:, None, None], (12, 8, 8)).copy()
            arrays[f"{split}_labels"] = labels
        np.savez(tmp_path / f"{name}.npz", **arrays)
    sets = [
        {"name": "npz", "path": str(tmp_path / f"{name}.npz"), "classes": classes}
        for name, classes in (("one", ["a", "b", "c"]), ("two", ["c", "a", "b"]))
    ]
    _, splits = assert_as_it_says(made({"name": "shifted", "train": sets[0], "test": sets[1]}))
    assert np.array_equal(splits["test"].images[:, 0, 0], np.array([40, 120, 220])[splits["test"].labels[:, 0]])
    joined = made({"name": "union", "datasets": sets}).load()["train"]
    assert np.array_equal(joined.images[:, 0, 0], np.array([40, 120, 220])[joined.labels[:, 0]])


def test_classes_are_left_out(made):
    info, splits = assert_as_it_says(made({"name": "without_classes", "base": CELLS, "classes": ["monocyte"]}))
    base = made(CELLS)
    place = base.info().classes.index("monocyte")
    assert "monocyte" not in info.classes
    assert len(info.classes) == 7
    for name, split in base.load().items():
        stay = split.labels[:, 0] != place
        assert np.array_equal(splits[name].images, split.images[stay])
        names = np.array(base.info().classes)[split.labels[stay, 0]]
        assert np.array_equal(np.array(info.classes)[splits[name].labels[:, 0]], names)


@pytest.mark.parametrize("base", [CELLS, {"name": "phantom_layers", "train": 20, "val": 10, "test": 30}])
def test_test_images_alone_are_corrupted_and_always_alike(made, base):
    written = {"name": "corrupted", "base": base, "corruption": [{"name": "gaussian_noise", "p": 1.0}]}
    _, splits = assert_as_it_says(made(written))
    plain, again, other = made(base).load(), made(written).load(), made({**written, "seed": 1}).load()
    assert np.array_equal(splits["train"].images, plain["train"].images)
    assert splits["test"].images.shape == plain["test"].images.shape
    assert not np.array_equal(splits["test"].images, plain["test"].images)
    assert np.array_equal(splits["test"].images, again["test"].images)
    assert not np.array_equal(splits["test"].images, other["test"].images)


def test_a_corruption_that_does_nothing_leaves_the_images(made):
    written = {"name": "corrupted", "base": CELLS, "corruption": [{"name": "gaussian_noise", "p": 0.0}]}
    assert np.array_equal(made(written).load()["test"].images, made(CELLS).load()["test"].images)


numbers = st.lists(st.floats(-5, 5, allow_nan=False), min_size=1, max_size=40)


@given(numbers, numbers)
def test_fpr95_is_scikit_learns_at_a_true_positive_rate_of_95_percent(known, unknown):
    known, unknown = np.round(known, 1), np.round(unknown, 1)
    truth = np.concatenate([np.ones(len(known)), np.zeros(len(unknown))])
    wrong, right, _ = roc_curve(truth, -np.concatenate([known, unknown]), drop_intermediate=False)
    assert fpr95(known, unknown) == pytest.approx(wrong[np.argmax(right >= 0.95)])


def test_the_neighbour_is_the_kth():
    random = np.random.default_rng(0)
    train, test = random.normal(size=(20, 5)), random.normal(size=(6, 5))
    wanted = [sorted(cosine(one, other) for other in train)[3] for one in test]
    assert distance_to_neighbour(train, test, 4) == pytest.approx(wanted)


def test_the_distance_to_a_class_is_scipys():
    random = np.random.default_rng(0)
    train, labels, test = random.normal(size=(40, 5)), np.arange(40) % 3, random.normal(size=(6, 5))
    means = np.stack([train[labels == number].mean(0) for number in range(3)])
    precision = np.linalg.inv(LedoitWolf(assume_centered=True).fit(train - means[labels]).covariance_)
    assert mahalanobis(train, labels, test) == pytest.approx(
        (cdist(test, means, "mahalanobis", VI=precision) ** 2).min(1)
    )


SUITE = """
schema = 1
name = "ood"
floors = []

[dataset.cells]
name = "phantom_cells"
train = 80
val = 20
test = 60
nuisance = 0.0

[[comparison]]
id = "table"
datasets = ["cells"]
labels = [20]
encoder = { name = "timm", model = "test_resnet" }
analyses = [{ name = "novelty", held_out = ["platelet"] }]

  [[comparison.arm]]
  name = "untrained"
  evaluator = "knn"
"""


def test_a_suite_measures_novelty(tmp_path):
    (tmp_path / "ood.toml").write_text(SUITE, "utf-8")
    torch.set_num_threads(1)
    result = medssl_bench.run(tmp_path / "ood.toml", store=tmp_path / "store", device="cpu")
    assert [outcome.reason for outcome in result.outcomes if outcome.status != "done"] == []
    (found,) = [outcome for outcome in result.outcomes if outcome.stage.kind == "analyse"]
    assert set(found.metrics) == {
        f"{what}_{score}" for what in ("auroc", "fpr95") for score in ("max_softmax", "energy", "knn", "mahalanobis")
    }
    assert all(0 <= value <= 1 for value in found.metrics.values())
