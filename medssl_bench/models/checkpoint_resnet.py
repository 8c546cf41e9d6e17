"""Which of torchvision's ResNets a checkpoint holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import timm
import torch

from medssl_bench.models.checkpoint_weights import COUNTER, differences, plain_weights
from medssl_bench.models.imported import ImportedEncoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from medssl_bench.models.checkpoint_networks import Network
    from medssl_bench.models.checkpoint_weights import Shapes
    from medssl_bench.models.imported import Stem

_MODELS = (
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2",
)  # fmt: skip

_STEMS = {7: "imagenet", 3: "small"}
_WITH_SMALL_STEM = ("resnet18", "resnet34", "resnet50")
"""Models that have the parameter ``stem`` in suites."""


def resnet(network: Network, tensors: Mapping[str, Tensor]) -> ImportedEncoder:
    """Return a ResNet of a checkpoint.

    Raises:
        ValueError: it is none that encoders here can be, or its weights are what no training can have meant.
    """
    model = _model(network, tensors)
    weights, notes = _weights(model, network, tensors)
    stem = _stem(model, network, weights["conv1.weight"])
    if stem == "small":
        taken = "stride 1" if network.between == 1 else "stride 1 and no pooling behind it"
        notes.append(f"its first convolution is 3x3: taken to have {taken}, as usual for CIFAR; the file does not say")
    return ImportedEncoder(model=model, weights=weights, stem=stem, notes=tuple(notes))


def _model(network: Network, tensors: Mapping[str, Tensor]) -> str:
    """Return the name of the ResNet that has exactly these tensors, but for its stem.

    Raises:
        ValueError: there is none.
    """
    given = {own: tensors[name].shape for own, name in network.names.items() if not own.endswith(COUNTER)}
    known: dict[str, Shapes] = {}
    for name in _MODELS:
        known[name] = _shapes(name)
        if not network.besides and _without_stem(known[name]) == _without_stem(given):
            return name
    nearest = min(known, key=lambda name: _distance(known[name], given))
    expected = {**known[nearest], "conv1.weight": given.get("conv1.weight", known[nearest]["conv1.weight"])}
    raise ValueError(
        f"this is not one of torchvision's ResNets ({', '.join(_MODELS)}), compared with {nearest}: "
        + differences(expected, given, network.besides)
    )


def _shapes(model: str) -> Shapes:
    with torch.device("meta"):
        state = timm.create_model(model, num_classes=0).state_dict()
    return {key: value.shape for key, value in state.items() if not key.endswith(COUNTER)}


def _without_stem(shapes: Shapes) -> dict[str, torch.Size | int]:
    """Return shapes in which the first convolution counts by its outputs alone: `_stem` looks at the rest."""
    return {key: shape[:1] if key == "conv1.weight" else shape for key, shape in shapes.items()}


def _distance(expected: Shapes, given: Shapes) -> tuple[int, int]:
    """Return how many names two networks do not share, and how many shapes of those that they share differ."""
    shared = expected.keys() & given.keys()
    return len(expected.keys() ^ given.keys()), sum(expected[key] != given[key] for key in shared)


def _weights(model: str, network: Network, tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Return the weights for images of three channels, and what had to be changed.

    Raises:
        ValueError: they are what no training can have meant.
    """
    notes, found = [], plain_weights(model, network, tensors)
    norms = [own.removesuffix("running_mean") for own in found if own.endswith("running_mean")]
    if missing := [f"{norm}{COUNTER}" for norm in norms if f"{norm}{COUNTER}" not in found]:
        found |= {name: torch.tensor(0) for name in missing}
        notes.append(f"{COUNTER}, which decides nothing, is not in the file: set to 0")
    first = found["conv1.weight"]
    if first.ndim == 4 and first.shape[1] == 1:
        found["conv1.weight"] = (first / 3).expand(-1, 3, -1, -1).contiguous()
        notes.append(
            "its first convolution takes one channel: each of three gets a third of it, which gives the same features "
            "of grey images where mean and standard deviation are one number each"
        )
    return found, notes


def _stem(model: str, network: Network, first: Tensor) -> Stem:
    """Return what stem a first convolution belongs to.

    Raises:
        ValueError: to none that encoders here have.
    """
    kernel = _STEMS.get(first.shape[-1]) if first.ndim == 4 and first.shape[1] == 3 else None
    if kernel is None or first.shape[-1] != first.shape[-2]:
        raise ValueError(
            f"its first convolution, conv1.weight, has shape {tuple(first.shape)}; "
            f"7x7 or 3x3 of 3 channels, or of 1, can be had"
        )
    if kernel == "small" and model not in _WITH_SMALL_STEM:
        raise ValueError(f"a {model} with a first convolution of 3x3 cannot be had; {', '.join(_WITH_SMALL_STEM)} can")
    if network.between == 0 or (network.between == 1 and kernel != "small"):
        lacks = "ReLU and no pooling" if network.between == 0 else "pooling"
        raise ValueError(
            f"in its nn.Sequential there is no {lacks} between the first normalisation and the first stage, as "
            f"functions that a network calls are lost there: that is another network, which encoders here cannot be"
        )
    return "small" if kernel == "small" else "imagenet"
