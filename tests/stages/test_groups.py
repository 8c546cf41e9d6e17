"""Budgets in groups, from the suite to the record and the table; splits that share groups are marked in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from medssl_bench import run
from medssl_bench.datasets.phantoms.factories import phantom_cells

SUITE = """\
schema = 1
name = "groups"
floors = []
draws = [0, 1]

[encoder.tiny]
name = "timm"
model = "test_resnet"

[dataset.cells]
name = "phantom_cells"
size = 16
train = 60
val = 20
test = 30
per_patient = 10
shared_groups = true

[[comparison]]
id = "table"
datasets = ["cells"]
encoder = "tiny"
labels = [{ groups = 2 }, { groups = 7, short = "clip" }, { groups = 8, short = "skip" }]
validation_labels = { groups = 3 }

  [[comparison.arm]]
  name = "probe"
  evaluator = { name = "linear_probe", epochs = 2 }
"""


@pytest.mark.filterwarnings("ignore::medssl_bench.errors.LeakWarning")
def test_labels_are_those_of_whole_groups(tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(SUITE)
    splits = phantom_cells(None, size=16, train=60, val=20, test=30, per_patient=10, shared_groups=True).load()

    result = run(tmp_path / "suite.toml", store=tmp_path / "store", device="cpu")

    assert [outcome.reason for outcome in result.outcomes if outcome.status != "done"] == []
    assert {cell.labels: cell.n for cell in result.leaderboard.cells()} == {"2 groups": 2, "7 groups": 2}
    for file in (tmp_path / "store").rglob("predictions.npz"):
        record = json.loads((file.parent / "record.json").read_text())
        wanted = min(6, record["spec"]["labels"]["amount"])
        assert record["metrics"]["labelled_groups"] == wanted
        assert record["metrics"]["labelled"] == 10 * wanted
        with np.load(file) as found:
            for split, places, number in (("train", "train_index", wanted), ("val", "val_index", 3)):
                groups = splits[split].groups
                chosen = np.unique(groups[found[places]])
                assert len(chosen) == number
                assert sorted(found[places]) == np.flatnonzero(np.isin(groups, chosen)).tolist()
    (table,) = result.leaderboard.tables
    assert "cells: 6 groups have training and test images" in table.marks
