"""What the tests of training share: small images, a small method, and the settings of a pretraining."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from medssl_bench.datasets import Split
from medssl_bench.methods import Batch, Method, Progress, View
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.registry import Registry
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.view_maker import ViewMaker

CPU = torch.device("cpu")


class Tiny(nn.Module):
    """An encoder of 8 features, with dropout so that training draws from the global generator."""

    dim = 8

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.1))

    def forward(self, images: Tensor) -> Tensor:
        return self.layers(images).mean(dim=(2, 3))


class Watched(Method):
    """Makes two views agree, and writes down all it is given; `scores` scripts its validation metric."""

    monitor: ClassVar[str | None] = "score"

    def __init__(self, scores: tuple[float, ...] = ()) -> None:
        super().__init__(Tiny())
        self.head = nn.Linear(8, 4)
        self.scores = scores
        self.training_batches: list[Batch] = []
        self.validation_batches: list[Batch] = []
        self.progress: list[Progress] = []
        self.dtypes: set[torch.dtype] = set()
        self.calls: list[tuple[Any, ...]] = []

    def views(self) -> tuple[View, View]:
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        first, second = (self.head(self.encoder(view)) for view in batch.views)
        self.dtypes.add(first.dtype)
        (self.training_batches if self.training else self.validation_batches).append(batch)
        self.calls.append(("forward", self.training, progress))
        difference = (first.float() - second.float()).square().mean()
        loss = difference + (first.float().std(dim=0, correction=0) - 1).square().mean()
        score = self.scores[progress.epoch] if self.scores and not self.training else 0.0
        return loss, {"score": torch.tensor(score), "difference": difference.detach()}

    def on_epoch_start(self, images: Any, progress: Progress) -> None:
        self.calls.append(("epoch", self.training, progress, len(images), [len(b.index) for b in images.batches(10)]))

    def after_step(self, progress: Progress) -> None:
        self.calls.append(("after", self.training, progress, self.head.weight.detach().clone()))


def split(count: int, size: int = 12, *, seed: int = 0, grey: bool = False, groups: bool = False) -> Split:
    rng = np.random.default_rng(seed)
    shape = (count, size, size) if grey else (count, size, size, 3)
    images = rng.integers(0, 256, shape, dtype=np.uint8)
    return Split(images, np.arange(count)[:, None] % 2, np.arange(count) // 3 if groups else None)


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "duration": {"epochs": 3},
        "batch_size": 8,
        "optimizer": {"name": "adamw", "lr": 1e-2, "weight_decay": 1e-4, "momentum": 0.9},
        "schedule": {"name": "cosine", "minimum": 1e-4, "period": None, "warmup": 0},
        "precision": "float32",
        "keep": "last",
        "validate_every": 1,
        "seed": 0,
        **changes,
    }


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load_plugins().registry


@pytest.fixture
def pretrain(registry: Registry) -> Callable[..., Pretraining]:
    """Make a pretraining of a method on small random images; its weights are the same every time."""

    def make(
        method: Method | None = None,
        *,
        augmentation: Any = "simclr",
        train: int = 20,
        val: int = 20,
        report: Any = lambda *_: None,
        scores: tuple[float, ...] = (),
        groups: bool = False,
        **changes: Any,
    ) -> Pretraining:
        if method is None:
            with torch.random.fork_rng():
                torch.manual_seed(0)
                method = Watched(scores)
        found = settings(**changes)
        component = registry.resolve("augmentation", augmentation, Path())
        views = ViewMaker(method.views(), component, 12, registry, CPU, found["seed"])
        splits = [split(count, seed=number, groups=groups) for number, count in enumerate((train, val))]
        images = [DeviceImages(each, CPU) for each in splits]
        return Pretraining(method, *images, views, found, report)

    return make
