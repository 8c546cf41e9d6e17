"""This project's fine-tuning of encoder and linear layer, whole."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn

from benchmarks.arms import Block, Settings
from benchmarks.arms.pieces import CLASSES, REGISTRY, split, wait
from medssl_bench.datasets import DatasetInfo, Split, Task
from medssl_bench.evaluators.base import Trial
from medssl_bench.evaluators.classifier_training import FineTuning
from medssl_bench.evaluators.finetune_settings import FineTuneSettings
from medssl_bench.training.processor import keep_freed_memory


def make(settings: Settings) -> Block:
    """Return the arm: a block is some epochs, after one that warms up."""
    keep_freed_memory()
    device = torch.device(settings.device)
    few = Split(np.zeros((CLASSES, settings.size, settings.size, 3), np.uint8), np.arange(CLASSES)[:, None])
    times: list[float] = []

    def note(index: int, total: int, metrics: Mapping[str, float]) -> None:  # noqa: ARG001
        wait(settings.device)
        times.append(time.perf_counter())

    def encoder() -> nn.Module:
        torch.manual_seed(0)
        made: nn.Module = REGISTRY.build(REGISTRY.resolve_or_raise("encoder", settings.encoder), size=settings.size)
        return made.to(device)

    def run(steps: int) -> float:
        whole = settings.images // settings.batch
        epochs = 1 + max(1, round(steps / whole))
        times.clear()
        trial = Trial(
            info=DatasetInfo("noise", Task.MULTI_CLASS, tuple(map(str, range(CLASSES))), 3, settings.size, {}),
            splits={"train": split(settings), "val": few, "test": few},
            train=np.arange(settings.images),
            val=np.empty(0, np.int64),
            selection="last",
            seed=0,
            device=device,
            encoder=encoder,
            report=note,
        )
        how = FineTuneSettings(
            epochs=epochs, lr=1e-4, batch_size=settings.batch, validate_every=1, precision=settings.precision
        )
        FineTuning(trial, how).run()
        return (times[-1] - times[2]) / ((epochs - 1) * whole)

    return run
