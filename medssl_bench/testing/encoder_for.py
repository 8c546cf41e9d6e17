"""Which encoder a method is checked with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from torch import nn

from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError, UserError
from medssl_bench.plugin.registry import Registry
from medssl_bench.testing.small_data import SIZE

Make = Callable[[], nn.Module]


def encoder_for(build: Callable[[Make], object], registry: Registry) -> Make:
    """Return a small ResNet, or the first other encoder that a method takes if it refuses that: one with tokens, say.

    The others are a small ViT, and those that plugins register. For a method that refuses
    all it is the ResNet, so that the user reads that refusal.

    Args:
        build: makes the method around an encoder; raises StageError if the method refuses it.
        registry: the encoders of plugins.
    """
    resnet: Make = partial(TimmEncoder, "test_resnet", SIZE)
    vit: Make = partial(TimmEncoder, "test_vit", SIZE, options={"img_size": SIZE, "patch_size": 7})
    registered: list[Make] = [partial(_registered, name, registry) for name in registry.entries["encoder"]]
    for make in (resnet, vit, *registered):
        with suppress(StageError, UserError):
            build(make)
            return make
    return resnet


def _registered(name: str, registry: Registry) -> nn.Module:
    encoder: nn.Module = registry.build(registry.resolve_or_raise("encoder", name), size=SIZE)
    return encoder
