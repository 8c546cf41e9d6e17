"""The arms of a benchmark: ways to do the same training, each timed in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

Block = Callable[[int], float]
"""Runs some training steps, and returns the seconds of one."""

MODULES = ("harness", "ready", "kornia_loop", "lightly_recipe", "fine_tuning", "fine_tuning_ready")


def make(name: str, settings: dict[str, Any]) -> Block:
    """Return an arm.

    Args:
        name: its module in this folder.
        settings: see `Settings`.
    """
    if name not in MODULES:
        raise ValueError(f"there is no arm {name!r}; there are {', '.join(MODULES)}")
    module = import_module(f"benchmarks.arms.{name}")
    block: Block = module.make(Settings(**settings))
    return block


class Settings:
    """What the arms of a benchmark share.

    Args:
        batch: images of a batch.
        size: side of the images in pixels.
        images: of the training set.
        encoder: registered name, or a table with its parameters.
        method: likewise.
        precision: ``float32`` or ``bfloat16``.
        augmentation: registered name.
        device: ``cpu`` or ``cuda``.
        channels: 3, or 1 for grey images.
    """

    def __init__(
        self,
        *,
        batch: int = 256,
        size: int = 28,
        images: int = 2560,
        encoder: str | Mapping[str, Any] = "resnet18",
        method: str | Mapping[str, Any] = "simclr",
        precision: str = "bfloat16",
        augmentation: str = "tau_nat",
        device: str = "cpu",
        channels: int = 3,
    ) -> None:
        self.batch = batch
        self.size = size
        self.images = images
        self.encoder = encoder
        self.method = method
        self.precision = precision
        self.augmentation = augmentation
        self.device = device
        self.channels = channels
