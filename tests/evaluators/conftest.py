"""What the tests of evaluators share: trials over small images and features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medssl_bench.datasets import DatasetInfo, Split, Task
from medssl_bench.evaluators import Evaluator, Trial
from medssl_bench.plugin.manager import load_plugins

CPU = torch.device("cpu")
COUNTS = {"train": 60, "val": 30, "test": 45}


class Tiny(nn.Module):
    """An encoder of 16 features, with batch normalisation."""

    dim = 16

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, bias=False), nn.BatchNorm2d(16), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).mean(dim=(2, 3))


def tiny_encoder() -> Tiny:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Tiny()


def labels_of(task: Task, count: int, classes: int, rng: np.random.Generator) -> NDArray[np.int64]:
    if task is Task.MULTI_LABEL:
        return rng.integers(0, 2, (count, classes))
    return (np.arange(count) % classes)[:, None]


@pytest.fixture
def make_trial() -> Callable[..., Trial]:
    """Make a trial whose images and features tell their labels, as clearly as `noise` allows."""

    def make(
        task: Task = Task.MULTI_CLASS,
        *,
        classes: int = 3,
        noise: float = 0.3,
        counts: dict[str, int] = COUNTS,
        train: Any = None,
        val: Any = None,
        selection: str = "validation",
        seed: int = 0,
        data_seed: int = 0,
        **changes: Any,
    ) -> Trial:
        rng = np.random.default_rng(data_seed)
        splits, features = {}, {}
        for split, count in counts.items():
            labels = labels_of(task, count, classes, rng)
            told = labels if task is Task.MULTI_LABEL else np.eye(classes, dtype=np.int64)[labels[:, 0]]
            places = np.concatenate([told, rng.normal(0, 1, (count, 5))], axis=1)
            features[split] = torch.from_numpy((places + noise * rng.normal(size=places.shape)).astype(np.float32))
            colours = 60 + 130 * np.pad(told, ((0, 0), (0, 3)))[:, :3][:, None, None]
            images = colours + noise * 60 * rng.normal(size=(count, 8, 8, 3))
            splits[split] = Split(images.clip(0, 255).astype(np.uint8), labels)
        info = DatasetInfo("tiny", task, tuple(map(str, range(classes))), 3, 8, dict(counts))
        return Trial(
            info=info,
            splits=splits,
            train=np.arange(counts["train"]) if train is None else np.asarray(train, dtype=np.int64),
            val=np.arange(counts["val"]) if val is None else np.asarray(val, dtype=np.int64),
            selection=selection,
            seed=seed,
            device=CPU,
            **{"encoder": tiny_encoder, "features": features, **changes},
        )

    return make


@pytest.fixture(scope="session")
def make_evaluator() -> Callable[..., Evaluator]:
    """Make an evaluator as a stage does, from a suite's table."""
    registry = load_plugins().registry

    def make(name: str, **parameters: Any) -> Evaluator:
        return registry.build(registry.resolve("evaluator", {"name": name, **parameters}, Path()))

    return make
