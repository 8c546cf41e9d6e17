"""Reads encoders out of checkpoints that other programs wrote, without running what is in them."""

from __future__ import annotations

import warnings
from argparse import Namespace
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

import timm
import torch
from packaging.version import Version
from torch import Tensor

from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

_MODELS = ("resnet18", "resnet34", "resnet50", "resnet101")
_FIRST = "conv1.weight"


_SAFE_SINCE = "2.10"
"""Older releases of PyTorch can be made to run code, or to write where they must not, by a file that is read with
``weights_only=True``: CVE-2025-32434 (up to 2.5), CVE-2026-24747 (up to 2.9)."""


def _path_text(*parts: str) -> str:
    """Stands for the classes of paths: a path in a checkpoint is read as text."""
    return "/".join(map(str, parts))


# what a checkpoint may hold beside tensors and plain values: each name is read as the harmless thing before it
_HARMLESS: list[Any] = [
    Namespace,
    (dict, "lightning_fabric.utilities.data.AttributeDict"),
    (dict, "lightning.fabric.utilities.data.AttributeDict"),
    (dict, "pytorch_lightning.utilities.parsing.AttributeDict"),
    (dict, "lightning.pytorch.utilities.parsing.AttributeDict"),
    *(
        (_path_text, f"{module}.{kind}Path")
        for module in ("pathlib", "pathlib._local")
        for kind in ("Posix", "Windows")
    ),
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
        UserError: it cannot be read, wants to run code, or holds no ResNet, or several; or this PyTorch is too old to
            read it safely.
    """
    if Version(torch.__version__).release < Version(_SAFE_SINCE).release:
        raise UserError(
            f"{file}: this is read safely by PyTorch {_SAFE_SINCE} or newer, here is {torch.__version__}, "
            "in which a checkpoint can run code (CVE-2025-32434, CVE-2026-24747); install a newer one"
        )
    content = _unpickled(file)
    tensors = _tensors(content)
    if not tensors:
        raise UserError(f"{file}: there is no state dict in it")
    chosen = _prefix(file, tensors, prefix)
    own = {name.removeprefix(chosen): value for name, value in tensors.items() if name.startswith(chosen)}
    weights = {name: value for name, value in own.items() if not name.startswith("fc.")}
    model = _model(file, weights)
    return ImportedEncoder(
        model=model,
        weights=_checked(file, model, weights),
        prefix=chosen,
        left=sorted(
            name for name in tensors if name.removeprefix(chosen) not in weights or not name.startswith(chosen)
        ),
        hyper_parameters=_hyper_parameters(content),
    )


def _unpickled(file: Path) -> Any:
    from pickle import UnpicklingError  # only its name: nothing is unpickled by it

    try:
        # torch warns of pickles that it has not written, and then reads them or not
        with torch.serialization.safe_globals(_HARMLESS), warnings.catch_warnings(action="ignore"):
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
    for marker, end in (("Unsupported global: ", " was not"), ("WeightsUnpickler error: ", " Check the documentation")):
        if marker in text:
            text = text[text.index(marker) :].split(end)[0]
            break
    return (text[:117] + "...") if len(text) > 120 else text or type(error).__name__


def _tensors(content: Any) -> dict[str, Tensor]:
    """Return every tensor of a state dict by name: Lightning's, the content itself, or one level below it."""
    if not isinstance(content, dict):
        return {}
    if isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    found = {}
    for name, value in content.items():
        inside = {f"{name}.{key}": item for key, item in value.items()} if isinstance(value, dict) else {name: value}
        found.update({str(key): item for key, item in inside.items() if isinstance(item, Tensor)})
    return found


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
    known = {name: _shapes(name) for name in _MODELS}
    for name, shapes in known.items():
        if shapes == {key: value.shape for key, value in weights.items()}:
            return name
    nearest = min(known, key=lambda name: len(known[name].keys() ^ weights.keys()))
    expected = known[nearest]
    differences = [
        _some("it lacks", [key for key in expected if key not in weights]),
        _some("it has besides", [key for key in weights if key not in expected]),
        *(
            f"{key} has shape {tuple(weights[key].shape)}, not {tuple(shape)}"
            for key, shape in expected.items()
            if key in weights and weights[key].shape != shape
        ),
    ]
    told = [difference for difference in differences if difference][:2]
    raise UserError(
        f"{file}: this is not one of torchvision's ResNets ({', '.join(_MODELS)}), compared with {nearest}: "
        + "; ".join(told)
    )


def _shapes(model: str) -> dict[str, torch.Size]:
    with torch.device("meta"):
        return {key: value.shape for key, value in timm.create_model(model, num_classes=0).state_dict().items()}


def _some(what: str, names: list[str]) -> str:
    """Return the first of some names and how many there are beside it, or an empty string where there is none."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{what} {names[0]}{more}" if names else ""


def _checked(file: Path, model: str, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the weights as 32-bit floats, contiguous, or refuse what no training can have meant."""
    found = {}
    for name, value in weights.items():
        if name.endswith("num_batches_tracked"):
            found[name] = value.detach().contiguous()
            continue
        if not value.is_floating_point() or not bool(value.isfinite().all()):
            what = "values that are not finite" if value.is_floating_point() else f"type {value.dtype}, not floats"
            raise UserError(f"{file}: these are no weights of a {model}: {name} has {what}")
        found[name] = value.detach().to(torch.float32).contiguous()
    return found


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
