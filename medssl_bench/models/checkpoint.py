"""Takes encoders out of checkpoints that other programs wrote, without running what is in them."""

from __future__ import annotations

import re
from argparse import Namespace
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

import timm
import torch
from torch import Tensor

from medssl_bench.errors import UserError
from medssl_bench.models.checkpoint_file import read_content
from medssl_bench.models.checkpoint_networks import Network, choose, networks_in, shown, tensors_in, wrong_form

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MODELS = (
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2",
)  # fmt: skip
_OF_TRAINING = re.compile(r"[\w-]*(optim|sched|scaler|callback|loops)", re.IGNORECASE)
"""How names begin of what a training keeps beside a network."""

_COUNTER = "num_batches_tracked"
_STEMS = {7: "imagenet", 3: "small"}
_WITH_SMALL_STEM = ("resnet18", "resnet34", "resnet50")
"""Models that have the parameter ``stem`` in suites."""

Stem = Literal["imagenet", "small"]


@dataclass(frozen=True)
class ImportedEncoder:
    """A ResNet out of a checkpoint.

    Attributes:
        model: timm's name of it.
        weights: its state dict under timm's names (torchvision's are the same), without a classifier.
        prefix: what stood before these names.
        left: names of tensors that are no part of it, such as a projection head.
        hyper_parameters: what the checkpoint says of its training.
        stem: ``imagenet``, 7x7 of stride 2 and pooling, or ``small``, 3x3 of stride 1 and none.
        notes: what had to be assumed or changed, a sentence each.
    """

    model: str
    weights: dict[str, Tensor]
    prefix: str
    left: list[str]
    hyper_parameters: dict[str, Any] = field(default_factory=dict)
    stem: Stem = "imagenet"
    notes: tuple[str, ...] = ()


def read_encoder(file: Path, prefix: str | None = None) -> ImportedEncoder:
    """Return the ResNet of a checkpoint: a Lightning ``.ckpt``, a state dict saved by ``torch.save``, or safetensors.

    Args:
        file: the checkpoint.
        prefix: prefix of the names of the encoder's tensors; None: the only ResNet there is.

    Raises:
        UserError: it cannot be read, wants to run code, or holds no ResNet, or several that differ.
    """
    content = read_content(file)
    try:
        tensors = tensors_in(content)
        network, note = choose(networks_in(tensors), tensors, prefix)
        model = _model(network, tensors)
        weights, notes = _weights(model, network, tensors)
        stem = _stem(model, network, weights["conv1.weight"])
    except ValueError as error:
        raise UserError(f"{file}: {error}") from error
    own = set(network.names.values())
    if stem == "small":
        taken = "stride 1" if network.between == 1 else "stride 1 and no pooling behind it"
        notes.append(f"its first convolution is 3x3: taken to have {taken}, as usual for CIFAR; the file does not say")
    return ImportedEncoder(
        model=model,
        weights=weights,
        prefix=shown(network.prefix),
        left=sorted(shown(name) for name in tensors if name not in own and not _OF_TRAINING.match(name)),
        hyper_parameters=_hyper_parameters(content),
        stem=stem,
        notes=tuple(filter(None, [note, *notes])),
    )


def _model(network: Network, tensors: Mapping[str, Tensor]) -> str:
    """Return the name of the ResNet that has exactly these tensors, but for its stem.

    Raises:
        ValueError: there is none.
    """
    given = {own: tensors[name].shape for own, name in network.names.items() if not own.endswith(_COUNTER)}
    known: dict[str, dict[str, torch.Size]] = {}
    for name in _MODELS:
        known[name] = _shapes(name)
        if not network.besides and _without_stem(known[name]) == _without_stem(given):
            return name
    nearest = min(known, key=lambda name: _distance(known[name], given))
    expected = known[nearest]
    differences = [
        _some("it lacks", [key for key in expected if key not in given]),
        _some("it has besides", [*(key for key in given if key not in expected), *network.besides]),
        *(
            f"{key} has shape {tuple(given[key])}, not {tuple(shape)}"
            for key, shape in expected.items()
            if key in given and given[key] != shape and key != "conv1.weight"
        ),
    ]
    told = [difference for difference in differences if difference][:2]
    raise ValueError(
        f"this is not one of torchvision's ResNets ({', '.join(_MODELS)}), compared with {nearest}: " + "; ".join(told)
    )


def _shapes(model: str) -> dict[str, torch.Size]:
    with torch.device("meta"):
        state = timm.create_model(model, num_classes=0).state_dict()
    return {key: value.shape for key, value in state.items() if not key.endswith(_COUNTER)}


def _without_stem(shapes: Mapping[str, torch.Size]) -> dict[str, torch.Size | int]:
    """Return shapes in which the first convolution counts by its outputs alone: `_stem` looks at the rest."""
    return {key: shape[:1] if key == "conv1.weight" else shape for key, shape in shapes.items()}


def _distance(expected: Mapping[str, torch.Size], given: Mapping[str, torch.Size]) -> tuple[int, int]:
    """Return how many names two networks do not share, and how many shapes of those that they share differ."""
    shared = expected.keys() & given.keys()
    return len(expected.keys() ^ given.keys()), sum(expected[key] != given[key] for key in shared)


def _some(what: str, names: list[str]) -> str:
    """Return the first of some names and how many there are beside it, or an empty string where there is none."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{what} {names[0]}{more}" if names else ""


def _weights(model: str, network: Network, tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """Return the weights as 32-bit floats, contiguous, and what had to be changed.

    Raises:
        ValueError: they are what no training can have meant.
    """
    notes, found = [], {}
    for own, name in network.names.items():
        value = tensors[name]
        form = wrong_form(value)
        if not form and own.endswith(_COUNTER):
            found[own] = value.detach().to(torch.int64).reshape(()) if value.numel() == 1 else torch.tensor(0)
            continue
        if not form and not value.is_floating_point():
            form = f"type {value.dtype}, not floats"
        plain = value if form else value.detach().to(torch.float32).contiguous()
        if not form and not bool(plain.isfinite().all()):
            form = "values that are not finite"
        if form:
            raise ValueError(f"these are no weights of a {model}: {own} has {form}")
        found[own] = plain
    norms = [own.removesuffix("running_mean") for own in found if own.endswith("running_mean")]
    if missing := [f"{norm}{_COUNTER}" for norm in norms if f"{norm}{_COUNTER}" not in found]:
        found |= {name: torch.tensor(0) for name in missing}
        notes.append(f"{_COUNTER}, which decides nothing, is not in the file: set to 0")
    first = found["conv1.weight"]
    if first.ndim == 4 and first.shape[1] == 1:
        found["conv1.weight"] = (first / 3).expand(-1, 3, -1, -1).contiguous()
        notes.append(
            "its first convolution takes one channel: each of three gets a third of it, which gives the same features "
            "of grey images with the normalisation 'half'"
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


def _hyper_parameters(content: Any) -> dict[str, Any]:
    """Return the plain values among a checkpoint's hyper-parameters; what else there is, no suite could use."""
    found = content.get("hyper_parameters") if isinstance(content, dict) else None
    if isinstance(found, Namespace):
        found = vars(found)
    if not isinstance(found, dict):
        return {}
    plain = (bool, int, float, str)
    return {
        str(name): value
        for name, value in found.items()
        if isinstance(value, plain) and not (isinstance(value, float) and not isfinite(value))
    }
