"""Reads encoders out of checkpoints that other programs wrote, without running what is in them."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import timm
import torch
from torch import Tensor

from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

_MODELS = ("resnet18", "resnet34", "resnet50", "resnet101")
_FIRST = "conv1.weight"


class _Attributes(dict[str, Any]):
    """Stands for Lightning's dictionary of hyper-parameters, which does no more than hold them."""


# what a checkpoint may hold beside tensors and plain values: nothing of this can run code
_HARMLESS: list[Any] = [
    Namespace,
    (_Attributes, "lightning_fabric.utilities.data.AttributeDict"),
    (_Attributes, "lightning.fabric.utilities.data.AttributeDict"),
    (_Attributes, "pytorch_lightning.utilities.parsing.AttributeDict"),
    (_Attributes, "lightning.pytorch.utilities.parsing.AttributeDict"),
]


@dataclass(frozen=True)
class ImportedEncoder:
    """A ResNet out of a checkpoint.

    Attributes:
        model: timm's name of it.
        weights: its state dict under timm's names (torchvision's are the same), without a classifier.
        prefix: what stood before these names.
        left: names of tensors that are no part of it, such as a projection head.
        hyper_parameters: what the checkpoint says of its training.
    """

    model: str
    weights: dict[str, Tensor]
    prefix: str
    left: list[str]
    hyper_parameters: dict[str, Any] = field(default_factory=dict)


def read_encoder(file: Path, prefix: str | None = None) -> ImportedEncoder:
    """Return the ResNet of a checkpoint: a Lightning ``.ckpt``, or a state dict saved by ``torch.save``.

    The file is unpickled with ``weights_only=True``: tensors, plain values and a few harmless classes.

    Args:
        file: the checkpoint.
        prefix: what stands before the names of the encoder's tensors; None: whatever stands before ``conv1.weight``.

    Raises:
        UserError: it cannot be read, wants to run code, or holds no ResNet, or several.
    """
    content = _unpickled(file)
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or not any(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{file}: there is no state dict in it")
    tensors = {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
    chosen = _prefix(file, tensors, prefix)
    own = {name.removeprefix(chosen): value for name, value in tensors.items() if name.startswith(chosen)}
    weights = {name: value for name, value in own.items() if not name.startswith("fc.")}
    return ImportedEncoder(
        model=_model(file, weights),
        weights={name: value.detach().contiguous() for name, value in weights.items()},
        prefix=chosen,
        left=sorted(
            name for name in tensors if name.removeprefix(chosen) not in weights or not name.startswith(chosen)
        ),
        hyper_parameters=_hyper_parameters(content),
    )


def _unpickled(file: Path) -> Any:
    from pickle import UnpicklingError  # only its name: nothing is unpickled by it

    try:
        with torch.serialization.safe_globals(_HARMLESS):
            return torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise UserError(
            f"{file}: it holds more than weights and settings, which could run code, so it is not read "
            f"({_reason(error)}); save its state dict alone with torch.save(model.state_dict(), ...)"
        ) from error
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file") from None
    except Exception as error:
        raise UserError(f"{file}: this is not a checkpoint of PyTorch, or a damaged one ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    """Return what an error says first, in few words; torch explains at length how to trust the file all the same."""
    text = " ".join(str(error).split())
    marker = "Unsupported global: "
    if marker in text:
        return text[text.index(marker) :].split(" was not")[0]
    return (text[:117] + "...") if len(text) > 120 else text or type(error).__name__


def _prefix(file: Path, tensors: dict[str, Tensor], wanted: str | None) -> str:
    found = [name.removesuffix(_FIRST) for name in tensors if name.endswith(_FIRST)]
    prefixes = [prefix for prefix in found if f"{prefix}layer1.0.conv1.weight" in tensors]
    if wanted is not None:
        wanted = wanted if not wanted or wanted.endswith(".") else f"{wanted}."
        if wanted not in prefixes:
            raise UserError(f"--prefix {wanted}: no ResNet stands behind it; there are: {_listed(prefixes)}")
        return wanted
    if len(prefixes) != 1:
        what = "there is no ResNet in it" if not prefixes else f"there are several ResNets in it: {_listed(prefixes)}"
        raise UserError(f"{file}: {what}" + ("; choose one with --prefix" if prefixes else ""))
    return prefixes[0]


def _listed(prefixes: list[str]) -> str:
    return ", ".join(repr(prefix) for prefix in prefixes) or "none"


def _model(file: Path, weights: dict[str, Tensor]) -> str:
    """Return the name of the ResNet that has exactly these tensors."""
    nearest = ""
    for name in _MODELS:
        expected = {key: value.shape for key, value in timm.create_model(name, num_classes=0).state_dict().items()}
        if expected.keys() == weights.keys():
            wrong = [key for key, shape in expected.items() if weights[key].shape != shape]
            if not wrong:
                return name
            shape = tuple(weights[wrong[0]].shape)
            nearest = f"{wrong[0]} has shape {shape}, not {tuple(expected[wrong[0]])} as in {name}"
    reason = nearest or f"its {len(weights)} tensors are those of none of {', '.join(_MODELS)}"
    raise UserError(f"{file}: this is not one of torchvision's ResNets: {reason}")


def _hyper_parameters(content: Any) -> dict[str, Any]:
    found = content.get("hyper_parameters", {}) if isinstance(content, dict) else {}
    if isinstance(found, Namespace):
        found = vars(found)
    plain = (bool, int, float, str)
    return {str(name): value for name, value in dict(found).items() if isinstance(value, plain)}
