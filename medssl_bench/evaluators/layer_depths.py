"""How many layers below the head each parameter of an encoder is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from timm.models import group_parameters
from torch import nn

from medssl_bench.errors import StageError

_HEAD = "the head"


def layer_depths(encoder: nn.Module) -> dict[str, int]:
    """Return how many layers below the head each parameter of an encoder is, by name; 1 for the last layer.

    The layers are those that timm knows of its models: the stem, then each block of a ViT, or each stage of another
    model. A normalisation behind the last block belongs to it; what comes after that, such as a normalisation after
    pooling, is 0 below the head.

    Args:
        encoder: a module that has timm's ``group_matcher``, or whose ``backbone`` has it.

    Raises:
        StageError: it has none.
    """
    prefix, network = next(_networks(encoder), ("", None))
    if network is None:
        raise StageError(
            f"layer_decay needs an encoder whose layers are known, and {type(encoder).__name__} does not say them; "
            "leave layer_decay out, or give the encoder timm's method group_matcher(coarse)"
        )
    layers = group_parameters(_WithHead(network), network.group_matcher(coarse=True), reverse=True)
    top = layers.pop(_HEAD)
    return {f"{prefix}{name}": top - layer for name, layer in layers.items()}


class _WithHead:
    """The parameters of a network, and one that no pattern knows: so a head is grouped with what follows the layers."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def named_parameters(self) -> Iterator[tuple[str, object]]:
        """Yield names with their parameters."""
        yield from self._network.named_parameters()
        yield _HEAD, None


def _networks(encoder: nn.Module) -> Iterator[tuple[str, Any]]:
    """Yield the module that knows its layers, with what names of its parameters begin with."""
    if hasattr(encoder, "group_matcher"):
        yield "", encoder
    if hasattr(backbone := getattr(encoder, "backbone", None), "group_matcher"):
        yield "backbone.", backbone
