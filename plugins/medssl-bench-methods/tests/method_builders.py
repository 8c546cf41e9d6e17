"""Methods around a tiny encoder, and random batches, for the tests of methods."""

from pathlib import Path

import torch

from medssl_bench.methods import Batch, MethodContext, Progress
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.randomness import forked

NOW = Progress(step=0, total=10, epoch=0)
SIZE = 16
REGISTRY = load_plugins().registry


def tiny_encoder(model="test_resnet", **options):
    return REGISTRY.build(
        REGISTRY.resolve("encoder", {"name": "timm", "model": model, "options": options}, Path()), size=SIZE
    )


def build(method, *, encoder=None, context=None, **parameters):
    """Return a method as the pretrain stage makes it."""
    with forked(0):
        component = REGISTRY.resolve("method", {"name": method, **parameters}, Path())
        return REGISTRY.build(
            component, encoder=encoder or tiny_encoder(), context=context or MethodContext(SIZE, 60, batch_size=8)
        )


def batch_of(*sizes, count=8, seed=0, group=None):
    """Return a batch of random images whose views have the given sizes."""
    numbers = torch.Generator().manual_seed(seed)
    views = tuple(torch.rand(count, 3, size, size, generator=numbers) for size in sizes)
    return Batch(views, torch.rand(count, 3, SIZE, SIZE, generator=numbers), torch.arange(count), group)
