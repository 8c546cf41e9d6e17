"""Builds encoders before a run does, to see whether they can be built: without numbers, on torch's meta device."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from medssl_bench.encoders.dim import check_encoder, feature_dim
from medssl_bench.errors import StageError, UserError, told
from medssl_bench.randomness import forked
from medssl_bench.stopping import Stopped, is_stop

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.encoders.timm_encoder import TimmEncoder
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry


@dataclass(frozen=True)
class Rehearsed:
    """How it went.

    Attributes:
        features: how many features an image has; 0 if there is a problem.
        notes: what the user should know, such as weights that are to be downloaded.
        problem: why the encoder cannot be had, or an empty string.
    """

    features: int = 0
    notes: tuple[str, ...] = ()
    problem: str = ""


def rehearse(registry: Registry, encoder: Component, size: int, *, fetch: bool) -> Rehearsed:
    """Build an encoder and let it encode two images.

    Args:
        registry: where components come from.
        encoder: what to build; of one with ``weights = "pretrained"`` the weights are not loaded.
        size: side of the images in pixels.
        fetch: whether to download pretrained weights that are not here, once; else a note says that a run does.
    """
    try:
        built = _built(registry, _from_scratch(encoder), size)
        features = feature_dim(built)
        # its import takes as long as that of torch: where it is not loaded, nothing of it has been built
        timm_encoder = sys.modules.get("medssl_bench.encoders.timm_encoder")
        if timm_encoder is not None and isinstance(built, timm_encoder.TimmEncoder):
            return Rehearsed(features, _notes(built, encoder, fetch=fetch))
    except BaseException as error:  # SystemExit too: a plugin's code is called
        if is_stop(error):
            raise Stopped from error
        known = isinstance(error, StageError | UserError)
        return Rehearsed(problem=" ".join(str(error).split()) if known else told(error))
    return Rehearsed(features)


def _notes(built: TimmEncoder, encoder: Component, *, fetch: bool) -> tuple[str, ...]:
    from medssl_bench.encoders import pretrained

    notes = []
    if built.left_out:
        names = ", ".join(built.left_out[:4]) + (", ..." if len(built.left_out) > 4 else "")
        notes.append(f"{names} of weights_file are a classifier's, which an encoder has not: left out")
    model = built.card["model"]
    if encoder.parameters.get("weights") == "pretrained":
        if fetch:
            pretrained.have_weights(model)
        elif not pretrained.are_here(model):
            notes.append(f"its pretrained weights are not here: run downloads them ({pretrained.source(model)})")
    return tuple(notes)


def _from_scratch(encoder: Component) -> Component:
    """Return an encoder that needs no download; what its weights are changes no shape."""
    if encoder.parameters.get("weights") != "pretrained":
        return encoder
    return replace(encoder, parameters={**encoder.parameters, "weights": "scratch"})


def _built(registry: Registry, encoder: Component, size: int) -> nn.Module:
    """Return an encoder that has encoded two images, without numbers where that is possible."""
    try:
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):  # of weights that are not taken in
            return _checked(registry, encoder, size)
    except Exception as error:
        # a plugin's encoder may ask for numbers, which only a real device has; so may some of timm's
        if encoder.plugin == "encoders" and "meta" not in str(error):
            raise
    return _checked(registry, encoder, size)


def _checked(registry: Registry, encoder: Component, size: int) -> nn.Module:
    with forked(0):
        built: nn.Module = registry.build(encoder, size=size)
    check_encoder(built, size)
    return built
