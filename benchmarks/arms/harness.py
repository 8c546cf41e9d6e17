"""This project's pretraining, whole: batches, views, step, metrics, reports."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import torch

from benchmarks.arms import Block, Settings
from benchmarks.arms.pieces import ADAMW, REGISTRY, WARM_UP, method, split, wait
from medssl_bench.datasets import Split
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.view_maker import ViewMaker


def make(settings: Settings) -> Block:
    """Return the arm: a block is some epochs, after one that warms up; a large set is trained on in steps instead."""
    made, device = method(settings), torch.device(settings.device)
    train = DeviceImages(split(settings), device)
    none = DeviceImages(Split(np.empty((0, settings.size, settings.size, 3), np.uint8), np.empty((0, 1), int)), device)
    augmentation = REGISTRY.resolve_or_raise("augmentation", settings.augmentation)
    views = ViewMaker(made.views(), augmentation, settings.size, REGISTRY, device, 0)
    recipe = {
        "seed": 0,
        "batch_size": settings.batch,
        "optimizer": ADAMW,
        "schedule": {"name": "cosine", "minimum": 0.0, "period": None, "warmup": 0},
        "precision": settings.precision,
        "keep": "last",
        "validate_every": 1,
    }
    whole = settings.images // settings.batch
    times: list[float] = []

    def note(epoch: int, epochs: int, metrics: Mapping[str, float], speed: float | None) -> None:  # noqa: ARG001
        wait(settings.device)
        times.append(time.perf_counter())

    def seconds(duration: dict[str, int]) -> list[float]:
        """Return when each epoch of a pretraining begins and ends."""
        times.clear()
        Pretraining(made, train, none, views, {**recipe, "duration": duration}, note).run()
        return times

    def run(steps: int) -> float:
        if whole > 2 * steps:  # the moments of a fresh optimiser are made in its first step: it is not counted
            fresh = WARM_UP[settings.device]
            for _ in range(2):  # the first in a process is slower still
                before = seconds({"steps": fresh})
                first = before[1] - before[0]
            both = seconds({"steps": steps + fresh})
            return (both[1] - both[0] - first) / steps
        epochs = 1 + max(1, round(steps / whole))
        found = seconds({"epochs": epochs})
        return (found[-1] - found[2]) / ((epochs - 1) * whole)  # from where the second epoch begins

    return run
