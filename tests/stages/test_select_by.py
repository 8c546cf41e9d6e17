"""A run whose epochs are chosen by another metric: what it keeps, and what it is named in models and tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import medssl_bench
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store

PLUGIN = """
from medssl_bench import hookimpl
from medssl_bench.datasets import Task
from medssl_bench.metrics import Metric

@hookimpl
def medssl_metrics(register):
    register("doubt", doubt)

def doubt():
    return Metric(measure, higher_is_better=False, tasks=(Task.MULTI_CLASS,))

def measure(given):
    return float(1 - given.scores.max(axis=1).mean())
"""

SUITE = """
schema = 1
name = "selected"
plugins = ["own.py"]
floors = []
draws = [0, 1]

[dataset.waves]
name = "npz"
path = "waves.npz"

[[comparison]]
id = "table"
datasets = ["waves"]
labels = [12]
select_by = "doubt"
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "probe"
  evaluator = { name = "linear_probe", epochs = 8, lr = 0.1, validate_every = 1 }

  [[comparison.arm]]
  name = "tuned"
  evaluator = { name = "finetune", epochs = 4, lr = 0.01, validate_every = 1 }
"""


@pytest.fixture
def folder(waves: Path) -> Path:
    (waves / "suite.toml").write_text(SUITE, "utf-8")
    (waves / "own.py").write_text(PLUGIN, "utf-8")
    return waves


def evaluations(store: Store) -> list[Record]:
    return [record for record in store.records() if record.kind == "evaluate" and record.status == "done"]


def test_the_epoch_is_the_best_of_the_history_that_is_kept(folder: Path) -> None:
    result = medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu")

    assert not result.failed
    store = Store(folder / "store")
    found = evaluations(store)
    assert len(found) == 4
    for record in found:
        history = json.loads((store.folder(record.key) / "history.json").read_text("utf-8"))
        best = min(history, key=lambda row: (row["val_doubt"], row["val_loss"]))
        assert record.metrics["selected_epoch"] == best["epoch"]
        assert record.identity["select_by"]["name"] == "doubt"
        assert record.identity["select_by"]["source"], "the source of an inline plugin decides the result"
        assert "own" in json.dumps(record.provenance)


def test_the_default_shares_nothing_with_it_and_the_training_is_the_same(folder: Path) -> None:
    medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu")
    store = Store(folder / "store")
    chosen = {record.key for record in evaluations(store)}
    (folder / "suite.toml").write_text(SUITE.replace('select_by = "doubt"\n', ""), "utf-8")

    medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu")

    records = evaluations(store)
    default = {record.key for record in records} - chosen
    assert len(default) == len(chosen) == 4
    last = [{}, {}]
    for record in records:
        arrays = np.load(store.folder(record.key) / "predictions.npz")
        place = (record.spec["evaluator"]["name"], record.spec["draw"])
        last[record.key in chosen][place] = arrays["y_score_last_epoch"].tobytes()
    assert last[0] == last[1]


def test_a_metric_that_fails_fails_its_cells_in_one_line(folder: Path) -> None:
    (folder / "own.py").write_text(PLUGIN.replace("1 - given", "3 - given"), "utf-8")

    result = medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu")

    assert len(result.failed) == 4
    for failed in result.failed:
        assert failed.reason.startswith("metric 'doubt' gives 2.")
        assert failed.reason.endswith("outside its range 0 to 1")
