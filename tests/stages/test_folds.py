"""A suite with folds, run: what a fold tests is never pretrained on or trained on, and tables say what they are of."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from medssl_bench import load_leaderboard, run
from medssl_bench.datasets import DatasetContext
from medssl_bench.datasets.fold import Fold
from medssl_bench.datasets.folds import folded
from medssl_bench.datasets.phantoms.factories import phantom_cells
from medssl_bench.plan.build import build_plan
from medssl_bench.results.formats.text import notes
from medssl_bench.results.records import to_csv
from medssl_bench.stages.pool import load_pool
from medssl_bench.stages.workshop import Workshop
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

SUITE = """\
schema = 1
name = "folds"
floors = ["majority"]
seeds = [0, 1]

[encoder.tiny]
name = "timm"
model = "test_resnet"

[dataset.cells]
name = "phantom_cells"
size = 16
train = 60
val = 20
test = 40
per_patient = 10

[pretraining.nat]
method = "simclr"
encoder = "tiny"
augmentation = "simclr"
epochs = 1
batch_size = 16

[[comparison]]
id = "table"
datasets = ["cells"]
encoder = "tiny"
labels = ["all"]
folds = 3

  [[comparison.arm]]
  name = "probe"
  pretraining = ["nat"]
  evaluator = { name = "linear_probe", epochs = 2 }
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "suite.toml").write_text(SUITE)
    return tmp_path / "suite.toml"


def test_what_a_fold_tests_is_in_nothing_that_is_learned_from(suite: Path, tmp_path: Path) -> None:
    loaded = Suite.load(suite)
    context = DatasetContext(tmp_path, tmp_path / "cache")
    plan = build_plan(loaded, context)
    workshop = Workshop(loaded.plugins.registry, Store(tmp_path / "store"), context, __import__("torch").device("cpu"))
    tests, seen = {}, 0

    for stage in plan.stages.values():
        if stage.kind == "pretrain":
            fold = stage.spec.dataset.fold
            tested = workshop.dataset(stage.spec.dataset).splits["test"]
            tests[fold] = {image.tobytes() for image in tested.images}
            pool = load_pool(stage.spec, workshop)
            assert not tests[fold] & {image.tobytes() for image in pool.images.images}
            assert not tests[fold] & {image.tobytes() for image in pool.watched.images}
            assert not set(tested.groups.tolist()) & set(pool.images.groups.tolist())
            seen += 1
    assert seen == 6  # three folds of two seeds
    assert len(set().union(*tests.values())) == sum(map(len, tests.values())) == 120


def test_tables_say_what_intervals_are_over(suite: Path, tmp_path: Path) -> None:
    result = run(suite, store=tmp_path / "store", device="cpu")

    assert [outcome.reason for outcome in result.outcomes if outcome.status != "done"] == []
    (table,) = result.leaderboard.tables
    assert "3 folds, not the sets' own splits" in table.marks
    (told, shared, *_) = notes(table)
    assert told == (
        "±: half of the 95 % interval, for other training seeds and groups of test images: "
        "2 training seeds x 12 groups of test images."
    )
    assert shared == "Folds share most of their training images; ± does not count what other folds would change."
    (first, *_) = (cell for cell in table.cells() if cell.arm == "probe" and cell.metric == "accuracy")
    assert first.judged.own is not None
    assert first.judged.own.mean == pytest.approx(first.mean), "each fold counts alike, however many images it tests"
    cells = {cell.arm: cell for cell in table.cells() if cell.metric == "accuracy"}
    assert [(value.seed, value.fold) for value in cells["probe"].values] == [
        (0, 0),
        (1, 0),
        (0, 1),
        (1, 1),
        (0, 2),
        (1, 2),
    ]
    assert [value["fold"] for value in cells["majority class"].to_data()["values"]] == [0, 1, 2]
    assert "table,cells,all,probe,accuracy,1,0,2," in to_csv(table)

    some = load_leaderboard(suite, tmp_path / "store", folds=[1])
    assert "1 of 3 folds, not the sets' own splits" in some.tables[0].marks
    assert {value.fold for cell in some.cells() for value in cell.values} == {1}


def test_the_scores_of_a_fold_are_of_its_own_test_images(suite: Path, tmp_path: Path) -> None:
    run(suite, store=tmp_path / "store", device="cpu", seeds=[0])
    splits = phantom_cells(None, size=16, train=60, val=20, test=40, per_patient=10).load()
    found = {}

    for file in (tmp_path / "store").rglob("predictions.npz"):
        record = json.loads((file.parent / "record.json").read_text())
        fold = Fold(**record["spec"]["dataset"]["fold"])
        with np.load(file) as arrays:
            assert np.array_equal(arrays["y_true"], folded(splits, fold)["test"].labels)
        found.setdefault(fold.number, []).append(record["title"])

    assert {number: len(titles) for number, titles in found.items()} == {0: 2, 1: 2, 2: 2}
    assert all(re.search(f"cells, fold {number} ·", title) for number, titles in found.items() for title in titles)


@pytest.mark.filterwarnings("ignore::medssl_bench.errors.LeakWarning")
def test_images_that_two_folds_share_are_told_of_each(tmp_path: Path) -> None:
    splits = phantom_cells(None, size=16, train=60, val=20, test=40).load()
    arrays = {f"{name}_{what}": getattr(split, what) for name, split in splits.items() for what in ("images", "labels")}
    arrays["train_images"][0] = arrays["train_images"][1]  # in one split of the set's own: no leak, a note
    arrays["train_labels"][0] = (arrays["train_labels"][1] + 1) % 8
    np.savez(tmp_path / "set.npz", **arrays)
    data = '[dataset.cells]\nname = "npz"\npath = "set.npz"\ntask = "multi-class"\n\n[pretraining.nat]'
    text = re.sub(r"\[dataset\.cells\].*?\[pretraining\.nat\]", data, SUITE, flags=re.DOTALL)
    (tmp_path / "suite.toml").write_text(
        text.replace("folds = 3", "folds = 8").replace("seeds = [0, 1]", "seeds = [0]")
    )

    result = run(tmp_path / "suite.toml", store=tmp_path / "store", device="cpu", only=["majority class"])

    (table,) = result.leaderboard.tables
    assert any(re.match(r"cells: fold \d: 1 of 15 test images is a copy", mark) for mark in table.marks), table.marks
