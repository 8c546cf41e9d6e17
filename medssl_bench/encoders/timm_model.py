"""A model of timm without its classifier, made by timm, with all of its trained weights or not at all."""

from __future__ import annotations

import logging
import re
import warnings
from contextlib import contextmanager, nullcontext
from textwrap import shorten
from typing import TYPE_CHECKING, Any

import timm
import timm.layers

from medssl_bench.encoders.hub_names import cached_config, is_hub_name, repository_of
from medssl_bench.encoders.pretrained import from_cache, have_config, have_weights
from medssl_bench.encoders.weights_place import timms_config
from medssl_bench.errors import EncoderWarning, StageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OVERLAY = "pretrained_cfg_overlay"
_LAYERS = ("mlp_layer", "embed_layer", "block_fn", "attn_layer")
"""Options of timm whose values are classes: a suite names those of ``timm.layers``."""

_TOLD = re.compile(r"(Missing|Unexpected) keys \((.*?)\)")
_RARELY_TRAINED = ("fc_norm.",)
"""Parts that timm makes anew where ``global_pool`` is not that of the weights: they start as identity."""


class _Code(str):
    """The name of a class: its ``repr`` is code."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def written(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options whose ``repr`` is Python that makes them, given ``import timm``."""
    plain = {name: value for name, value in options.items() if name != _OVERLAY}
    return {
        name: _Code(f"timm.layers.{_short(value)}") if name in _LAYERS and isinstance(value, str) else value
        for name, value in plain.items()
    }


def made(model: str, options: Mapping[str, Any], *, pretrained: bool, revision: str | None) -> Any:
    """Return a model of timm that gives features.

    Args:
        model: timm's name of it, or ``hf-hub:ORGANISATION/MODEL``.
        options: further keyword arguments of ``timm.create_model``.
        pretrained: load the weights that timm downloads.
        revision: branch, tag or commit of their repository; None: the main branch.

    Raises:
        StageError: timm knows no such model, its weights cannot be had, or they are not all there.

    Warns:
        EncoderWarning: weights have tensors beside those of the model and of its classifier.
    """
    overlay = options.get(_OVERLAY)
    hub = is_hub_name(model)
    if not hub and not timm.is_model(model):
        raise StageError(f"timm has no model {model!r}{did_you_mean(model, timm.list_models())}")
    if not hub:
        timms_config(model)
    if pretrained:
        have_weights(model, revision, overlay)
    have_config(model, revision)
    typed = {name: _layer(name, value) for name, value in options.items()}
    name = model
    if hub and revision:
        name = f"{model}@{revision}"
    elif pretrained and revision:
        repository = (overlay or {}).get("hf_hub_id") or timm.get_pretrained_cfg(model).hf_hub_id
        typed[_OVERLAY] = {**(overlay or {}), "hf_hub_id": f"{repository.partition('@')[0]}@{revision}"}
    try:
        with from_cache() if pretrained or hub else nullcontext(), _differences() as different:
            built = timm.create_model(name, pretrained=pretrained, num_classes=0, **typed)
    except Exception as error:
        what = "its pretrained weights cannot be had" if pretrained else "it cannot be made"
        reason = " ".join(str(error).split()) if str(error).startswith("Error(s) in loading") else str(error)
        told = f"timm model {model!r}: {what} with {dict(options)}: {reason}".partition("\n")[0]
        raise StageError(shorten(told, 500, placeholder=" ...")) from error
    lacking = [each for each in different["Missing"] if not each.startswith(_RARELY_TRAINED)]
    if pretrained and lacking:
        raise StageError(f"timm model {model!r}: its weights lack {len(lacking)} of its tensors ({_some(lacking)})")
    if pretrained and (besides := different["Unexpected"]):
        what = f"timm model {model!r}: its weights have {len(besides)} tensor(s) that it has not ({_some(besides)})"
        warnings.warn(f"{what}: left out", EncoderWarning, stacklevel=2)
    return built


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def config_of(model: str, revision: str | None) -> dict[str, Any]:
    """Return timm's configuration of a model's weights: size of images, normalisation, interpolation.

    Args:
        model: timm's name, or one of a hub, whose configuration is here.
        revision: of the repository.

    Raises:
        StageError: timm has no weights of the tag in its name.
    """
    if not is_hub_name(model):
        return timms_config(model)
    saved = cached_config(model, revision) or {}
    own = timm.get_pretrained_cfg(saved.get("architecture", ""))
    of_weights = saved.get("pretrained_cfg", saved)
    return {**(own.to_dict() if own else {}), **of_weights}


def options_of(model: str, revision: str | None) -> dict[str, Any]:
    """Return the options with which a model of a hub is made; of timm's own models none."""
    saved = (cached_config(model, revision) or {}) if is_hub_name(model) else {}
    return dict(saved.get("model_args") or {})


def architecture_of(model: str, revision: str | None) -> str:
    """Return timm's name of a model, also of one of a hub."""
    if not is_hub_name(model):
        return model
    return str((cached_config(model, revision) or {}).get("architecture", repository_of(model)))


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _layer(option: str, value: Any) -> Any:
    """Return the class that an option names, or its value."""
    if option not in _LAYERS or not isinstance(value, str):
        return value
    found = getattr(timm.layers, _short(value), None)
    if not callable(found):
        raise StageError(f"options: {option} = {value!r} is no class of timm.layers")
    return found


@contextmanager
def _differences() -> Iterator[dict[str, list[str]]]:
    """Collect the names of tensors that weights lack, and of those that a model lacks: timm only logs these."""
    found: dict[str, list[str]] = {"Missing": [], "Unexpected": []}

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if match := _TOLD.search(record.getMessage()):
                found[match[1]].extend(match[2].split(", "))

    logger, listening = logging.getLogger("timm.models._builder"), Listening(logging.INFO)
    before, spread = logger.level, logger.propagate
    logger.addHandler(listening)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield found
    finally:
        logger.removeHandler(listening)
        logger.setLevel(before)
        logger.propagate = spread
