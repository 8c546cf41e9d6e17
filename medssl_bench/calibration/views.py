"""How long augmentations and ops take, each with the parameters that it has by default."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from medssl_bench.augmentations.sequence import Sequence
from medssl_bench.augmentations.views import draw_view
from medssl_bench.calibration.bench import IMAGES, Bench, Timer, measured
from medssl_bench.costs.units import Work
from medssl_bench.plugin.registry import Registry
from medssl_bench.training.images import DeviceImages


def views(bench: Bench) -> Work:
    """Return what a view of each augmentation costs, and what each op adds to a list.

    Those that need parameters, or do not work, are left out: they cost what the others do, roughly.
    """
    device, registry = bench.workshop.device, bench.workshop.registry
    images = DeviceImages(bench.data.splits["train"], device)
    batch, size = images.take(torch.arange(IMAGES, device=device)), images.size
    found: Work = {}
    for kind, unit in (("augmentation", "view"), ("op", "op")):
        for name in registry.entries[kind]:
            try:
                module = _made(registry, kind, name, size).to(device)
                took = measured(partial(draw_view, module, batch, 0), device, Timer(most_seconds=0.1))
            except Exception:  # noqa: BLE001, S112 - whatever a plugin's component raises, the others are measured
                continue
            found[f"{unit}:{name}"] = took / IMAGES
    return found


def _made(registry: Registry, kind: str, name: str, size: int) -> nn.Module:
    made = registry.build(registry.resolve_or_raise(kind, name), size=size)
    return made if kind == "augmentation" else Sequence([made], size)
