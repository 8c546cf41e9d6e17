"""What a plan says of sets that are too small is what a run does, for every kind of budget."""

from __future__ import annotations

import json
from pathlib import Path

from medssl_bench import run

SUITE = """\
schema = 1
name = "small sets"
floors = []

[dataset.cells]
name = "phantom_cells"
train = 24
val = 8
test = 16

[encoder.tiny]
name = "timm"
model = "test_resnet"

[pretraining.nat]
encoder = "tiny"
augmentation = ["horizontal_flip"]
epochs = 1
images = { count = 100, short = "clip" }

[[comparison]]
id = "table"
datasets = ["cells"]
labels = [{ count = 100, short = "clip" }, { count = 200, short = "skip" }, { per_class = 50, short = "clip" }]
validation_labels = { count = 50, short = "clip" }

  [[comparison.arm]]
  name = "probe"
  pretraining = ["nat"]
  evaluator = { name = "linear_probe", epochs = 2 }
"""


def test_sets_that_are_too_small_are_clipped_in_a_run_too(tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(SUITE)
    result = run(tmp_path / "suite.toml", store=tmp_path / "store", device="cpu")
    assert [outcome.reason for outcome in result.outcomes if outcome.status != "done"] == []
    assert {cell.labels for cell in result.leaderboard.cells()} == {"100", "50/class"}
    assert all(cell.n == cell.expected == 1 for cell in result.leaderboard.cells())
    records = [json.loads(file.read_text()) for file in (tmp_path / "store").rglob("record.json")]
    evaluated = [record["metrics"] for record in records if record["kind"] == "evaluate"]
    assert {(found["labelled"], found["labelled_validation"]) for found in evaluated} == {(24, 8)}
    (pretrained,) = [record["metrics"] for record in records if record["kind"] == "pretrain"]
    assert pretrained["images"] == 24
