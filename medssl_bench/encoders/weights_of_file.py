"""Weights of a file for a model of timm: under its own names, or under others that timm knows for such a model."""

from __future__ import annotations

import sys
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.model_files import read_weights
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor, nn


def load_weights(model: nn.Module, file: Path, name: str) -> list[str]:
    """Give a model the weights of a safetensors file: all that it has, or none.

    A file whose names or shapes are others goes through what timm itself does to such weights of this architecture: it
    takes the image part out of a CLIP of open_clip, renames DINOv2's, and resamples position embeddings and patches of
    another size. Where all names stand behind one prefix, such as ``model.``, that is taken off first.

    Args:
        model: of timm, without a classifier.
        file: its weights, or an index of shards; those of a classifier are left out.
        name: of the model, for the message.

    Returns:
        The names of tensors that are a classifier's.

    Raises:
        StageError: the file holds the weights of another model.
        StoreError: it cannot be read.
    """
    weights, config = _without_prefix(read_weights(file), model), model.pretrained_cfg
    assert isinstance(config, dict)
    heads = _names(config.get("classifier"))
    left_out = _of_heads(weights, model, heads)
    own = {name: value for name, value in weights.items() if name not in left_out}
    if not _fits(own, model):
        known = _as_timm_knows(weights, model)
        left_out = _of_heads(known, model, heads)
        known = {name: value for name, value in known.items() if name not in left_out}
        own = known if _fits(known, model) else own
    if whole := next((n for n, kept in model.state_dict().items() if n in own and _is_rounded(own[n], kept)), None):
        raise StageError(f"{file}: {whole} has whole numbers: these weights are quantised, and not the trained ones")
    try:
        model.load_state_dict(own)
    except RuntimeError as error:
        difference = shorten(str(error).splitlines()[-1], 160, placeholder=" ...")
        raise StageError(f"{file}: these are not the weights of {name}: {difference}") from error
    return left_out


def _without_prefix(weights: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Return weights under their names without the prefix that all have before those of the model, if there is one."""
    first = next(iter(model.state_dict()))
    # the shortest: names of deeper parts may end alike, as those of a ResNet's blocks with conv1.weight
    prefix = min((name.removesuffix(first) for name in weights if name.endswith(f".{first}")), key=len, default="")
    if first in weights or not all(name.startswith(prefix) for name in weights):
        return weights
    return {name.removeprefix(prefix): value for name, value in weights.items()}


def _is_rounded(value: Tensor, kept: Tensor) -> bool:
    return kept.is_floating_point() and not value.is_floating_point()


def _names(classifier: Any) -> tuple[str, ...]:
    found = classifier or ()
    return tuple(f"{name}." for name in ([found] if isinstance(found, str) else found))


def _of_heads(weights: Mapping[str, Tensor], model: nn.Module, heads: tuple[str, ...]) -> list[str]:
    own = model.state_dict()
    return sorted(name for name in weights if name not in own and name.startswith(heads))


def _fits(weights: Mapping[str, Tensor], model: nn.Module) -> bool:
    """Return whether weights have the names and shapes of a model."""
    own = model.state_dict()
    return weights.keys() == own.keys() and all(value.shape == own[name].shape for name, value in weights.items())


def _as_timm_knows(weights: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Return weights as timm's filter of the architecture gives them; those that it does not know as they are."""
    change = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if change is None:
        return dict(weights)
    try:
        found = change(dict(weights), model)
    except Exception:  # noqa: BLE001 - they are of another model, which is said below
        return dict(weights)
    return dict(found)
