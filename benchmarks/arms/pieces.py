"""What several arms are made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.arms import Block, Settings
from medssl_bench.datasets import Split
from medssl_bench.methods import Method, MethodContext
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.training.processor import keep_freed_memory

REGISTRY = load_plugins().registry
HIDDEN, PROJECTION, TEMPERATURE = 1000, 128, 0.07
ADAMW: dict[str, Any] = {"name": "adamw", "lr": 5e-4, "weight_decay": 1e-4, "momentum": 0.9}
CLASSES = 8
WARM_UP = {"cpu": 1, "cuda": 5}
"""Steps that are not counted; on a GPU the fourth or so is recorded."""


def pixels(settings: Settings, count: int | None = None) -> NDArray[np.uint8]:
    """Return images of noise, (N, H, W, 3) or (N, H, W) uint8: no arm's speed depends on what they show."""
    shape = (count or settings.images, settings.size, settings.size) + ((3,) if settings.channels == 3 else ())
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def split(settings: Settings) -> Split:
    """Return a training split of such images, with labels."""
    return Split(pixels(settings), np.arange(settings.images)[:, None] % CLASSES)


def method(settings: Settings) -> Method:
    """Return the method around the encoder, on the device, as the harness makes it."""
    keep_freed_memory()
    torch.manual_seed(0)
    component = REGISTRY.resolve_or_raise("encoder", settings.encoder)
    encoder: nn.Module = REGISTRY.build(component, size=settings.size)
    context = MethodContext(settings.size, settings.images, batch_size=settings.batch)
    wanted = REGISTRY.resolve_or_raise("method", settings.method)
    made: Method = REGISTRY.build(wanted, encoder=encoder, context=context)
    return made.to(settings.device).to(memory_format=torch.channels_last)


def ready_views(sides: Sequence[int], settings: Settings) -> list[Tensor]:
    """Return views of these sides that need no work, float in [0, 1], channels-last."""
    return [torch.rand((settings.batch, 3, side, side), device=settings.device) for side in sides]


def autocast(settings: Settings) -> torch.autocast:
    """Return the context of the arm's precision."""
    return torch.autocast(settings.device, dtype=torch.bfloat16, enabled=settings.precision == "bfloat16")


def loop(step: Callable[[], object], settings: Settings) -> Block:
    """Return an arm that repeats a step, after some that warm up."""

    def run(steps: int) -> float:
        for _ in range(WARM_UP[settings.device]):
            step()
        wait(settings.device)
        start = time.perf_counter()
        for _ in range(steps):
            step()
        wait(settings.device)
        return (time.perf_counter() - start) / steps

    return run


def wait(device: str) -> None:
    """Wait until the device has done all its work."""
    if device == "cuda":
        torch.cuda.synchronize()
