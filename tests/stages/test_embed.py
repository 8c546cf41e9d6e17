"""Features of an encoder whose weights give none."""

from __future__ import annotations

from pathlib import Path

import timm
import torch

from medssl_bench import Suite, run
from medssl_bench.store.tensors import save_tensors

SUITE = """\
schema = 1
name = "damaged"

[dataset.cells]
name = "phantom_cells"
train = 20
val = 10
test = 10

[encoder.hub]
name = "timm"
model = "test_resnet"
weights_file = "hub.safetensors"
normalize = "half"

[[comparison]]
id = "table"
datasets = ["cells"]
labels = ["all"]
floors = []
encoder = "hub"

  [[comparison.arm]]
  name = "hub"
  evaluator = "knn"
"""


def test_weights_that_give_no_numbers_are_not_said_to_have_diverged(tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = timm.create_model("test_resnet", num_classes=0).state_dict()
    weights["conv1.0.weight"] *= torch.inf
    save_tensors(weights, tmp_path / "hub.safetensors")
    (tmp_path / "suite.toml").write_text(SUITE)
    suite = Suite.load(tmp_path / "suite.toml")
    result = run(suite, store=tmp_path / "store", data_dir=tmp_path, device="cpu", executor="local")
    (failed,) = result.failed
    assert "not finite numbers; check that its weights are right, and mean and std those" in failed.reason
