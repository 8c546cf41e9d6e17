"""Arms are paired: one seed gives them the same initial weights and batches, whatever else differs between them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import medssl_bench
from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.spec import EncoderSpec
from medssl_bench.stages.workshop import Workshop
from medssl_bench.store.store import Store
from medssl_bench.store.tensors import load_tensors

TINY = {"name": "timm", "model": "test_resnet"}

SUITE = """
schema = 1
name = "pairs"
floors = []

[dataset.noise]
name = "npz"
path = "noise.npz"

[pretraining.distorted]
encoder = { name = "timm", model = "test_resnet" }
augmentation = "simclr"
steps = 1
batch_size = 16
optimizer = { lr = 1e-30, weight_decay = 0.0 }  # the weights stay where they begin

[pretraining.plain]
extends = "distorted"
augmentation = "plain"
method = { name = "simclr", temperature = 0.5 }

[[comparison]]
id = "table"
datasets = ["noise"]
labels = ["all"]

  [[comparison.arm]]
  name = "distorted"
  pretraining = ["distorted"]
  evaluator = "knn"

  [[comparison.arm]]
  name = "plain"
  pretraining = ["plain"]
  evaluator = "knn"
"""


@pytest.fixture
def encoder(registry, tmp_path):
    workshop = Workshop(registry, Store(tmp_path / "store"), DatasetContext(tmp_path, tmp_path), torch.device("cpu"))

    def make(seed=0, size=16):
        spec = EncoderSpec(component=registry.resolve("encoder", TINY, Path()), size=size, seed=seed)
        return workshop.encoder(spec, None).state_dict()

    return make


def equal(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_seed_alone_decides_an_encoders_first_weights(encoder):
    torch.manual_seed(1)
    first = encoder()
    torch.manual_seed(2)

    assert equal(first, encoder())
    assert equal(first, encoder(size=28))
    assert not equal(first, encoder(seed=1))


def test_making_an_encoder_leaves_the_global_generator(encoder):
    state = torch.get_rng_state()

    encoder()

    assert torch.equal(torch.get_rng_state(), state)


def test_two_recipes_begin_with_the_same_weights(tmp_path, encoder):
    rng = np.random.default_rng(0)
    counts = {"train": 40, "val": 16, "test": 16}
    arrays = {f"{split}_images": rng.integers(0, 256, (n, 16, 16, 3), dtype=np.uint8) for split, n in counts.items()}
    arrays |= {f"{split}_labels": np.arange(n)[:, None] % 2 for split, n in counts.items()}
    np.savez(tmp_path / "noise.npz", **arrays)
    (tmp_path / "suite.toml").write_text(SUITE, "utf-8")

    assert not medssl_bench.run(tmp_path / "suite.toml", store=tmp_path / "store", device="cpu").failed

    store = Store(tmp_path / "store")
    folders = [store.folder(record.key) for record in store.records() if record.kind == "pretrain"]
    distorted, plain = (load_tensors(folder / "encoder.safetensors") for folder in folders)
    weights = {name for name in distorted if not name.endswith(("running_mean", "running_var", "num_batches_tracked"))}
    for name in weights:
        torch.testing.assert_close(distorted[name], plain[name], rtol=0, atol=0)
        torch.testing.assert_close(distorted[name], encoder()[name], rtol=0, atol=0)
    losses = [json.loads((folder / "history.json").read_text("utf-8"))[0]["loss"] for folder in folders]
    assert losses[0] != losses[1]
