"""What the tests of methods as plugins share: tiny images, and a run of a suite that loads the plugin's file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import medssl_bench
from medssl_bench.methods import Batch, Method, MethodContext
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.randomness import forked
from medssl_bench.session.running import RunResult
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store
from medssl_bench.store.tensors import load_tensors

HERE = Path(__file__).parent
TRAIN, BATCH, SIZE = 56, 16, 16

SUITE = """
schema = 1
name = "plugin"
plugins = ["{plugin}"]
floors = []

[dataset.tiny]
name = "npz"
path = "tiny.npz"

[pretraining.recipe]
method = {method}
encoder = {{ name = "timm", model = "test_resnet" }}
augmentation = "simclr"
epochs = {epochs}
batch_size = 16
optimizer = {{ lr = 2e-3 }}
schedule = {{ name = "constant" }}
{recipe}

[[comparison]]
id = "table"
datasets = ["tiny"]
labels = ["all"]
encoder = {{ name = "timm", model = "test_resnet" }}

  [[comparison.arm]]
  name = "pretrained"
  pretraining = ["recipe"]
  evaluator = "knn"
{arms}
"""


@dataclass
class Finished:
    """A run that has ended, and the store that it filled."""

    result: RunResult
    store: Store

    def record(self, kind: str) -> Record:
        (record,) = (record for record in self.store.records() if record.kind == kind)
        return record

    def tensors(self, kind: str, name: str) -> dict[str, Tensor]:
        return load_tensors(self.store.folder(self.record(kind).key) / f"{name}.safetensors")

    def history(self) -> list[dict[str, float]]:
        import json

        folder = self.store.folder(self.record("pretrain").key)
        return json.loads((folder / "history.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of 16 pixels in three classes of their own colour, with noise."""
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in {"train": TRAIN, "val": 20, "test": 24}.items():
        labels = np.arange(count) % 3
        noise = rng.normal(0, 25, (count, SIZE, SIZE, 3))
        arrays[f"{split}_images"] = (90 + 80 * np.eye(3)[labels][:, None, None] + noise).clip(0, 255).astype(np.uint8)
        arrays[f"{split}_labels"] = labels[:, None]
    file = tmp_path_factory.mktemp("tiny") / "tiny.npz"
    np.savez(file, **arrays)
    return file


@pytest.fixture
def run_suite(tiny_file: Path, tmp_path: Path) -> Callable[..., Finished]:
    """Run a suite that pretrains with a plugin's method and judges by nearest neighbours."""

    def run(
        plugin: str, method: str, *, epochs: int = 2, recipe: str = "", arms: str = "", store: str = "s"
    ) -> Finished:
        shutil.copy(HERE / plugin, tmp_path)
        shutil.copy(tiny_file, tmp_path)
        suite = tmp_path / "suite.toml"
        suite.write_text(SUITE.format(plugin=plugin, method=method, epochs=epochs, recipe=recipe, arms=arms), "utf-8")
        result = medssl_bench.run(suite, store=tmp_path / store, device="cpu")
        assert [outcome.reason for outcome in result.outcomes if outcome.status != "done"] == []
        return Finished(result, Store(tmp_path / store))

    return run


@pytest.fixture
def make_method() -> Callable[..., Method]:
    """Make a method of a plugin's file as the pretrain stage does, around a tiny encoder."""

    def make(
        plugin: str, value: Any, *, size: int = SIZE, images: int = TRAIN, teacher: nn.Module | None = None
    ) -> Method:
        plugins = load_plugins()
        plugins.add_inline(HERE / plugin)
        registry = plugins.registry
        with forked(0):
            component = registry.resolve("encoder", {"name": "timm", "model": "test_resnet"}, Path())
            encoder = registry.build(component, size=size)
            method = registry.resolve("method", value, Path())
            return registry.build(method, encoder=encoder, context=MethodContext(size, images, teacher))

    return make


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """Make a batch of random images whose views have the given sizes."""

    def make(*sizes: int, count: int = 8, seed: int = 0) -> Batch:
        numbers = torch.Generator().manual_seed(seed)
        views = tuple(torch.rand(count, 3, size, size, generator=numbers) for size in sizes)
        return Batch(views, torch.rand(count, 3, SIZE, SIZE, generator=numbers), torch.arange(count))

    return make
