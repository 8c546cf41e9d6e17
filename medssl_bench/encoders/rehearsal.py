"""Builds encoders before a run does, to see whether they can be built: without numbers, on torch's meta device."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from medssl_bench.encoders.dim import check_encoder, feature_dim
from medssl_bench.encoders.hub_names import cached_commit, cached_config, is_hub_name
from medssl_bench.encoders.known_normalisation import unknown_normalisation
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
        features: how many features an image has; 0 if there is a problem, or if that is not known yet.
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
        if told_later := _not_here(encoder, fetch=fetch):
            return Rehearsed(notes=(told_later,))
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
    given, model = encoder.parameters, built.model
    if is_hub_name(model) and given["weights"] == "pretrained" and not given["revision"]:
        commit = cached_commit(model, None)
        now = f", now {commit}" if commit else ""
        notes.append(f"no revision is given: its authors can change it; write revision = a commit of it{now}")
    if built.left_out:
        names = ", ".join(built.left_out[:4]) + (", ..." if len(built.left_out) > 4 else "")
        notes.append(f"{names} of weights_file are a classifier's, which an encoder has not: left out")
    if given.get("weights") == "pretrained":
        where = (model, given.get("revision"), (given.get("options") or {}).get("pretrained_cfg_overlay"))
        if fetch:
            pretrained.have_weights(*where)
        elif not pretrained.are_here(*where):
            notes.append(f"its pretrained weights are not here: run downloads them ({pretrained.source(*where)})")
    elif given.get("weights_file") and (problem := unknown_normalisation(encoder)):
        raise StageError(problem)
    return tuple(notes)


def _not_here(encoder: Component, *, fetch: bool) -> str:
    """Return what is to be said of a model of a hub whose configuration is not here, and is not fetched now."""
    model = encoder.parameters.get("model")
    if encoder.plugin != "encoders" or not isinstance(model, str) or not is_hub_name(model):
        return ""
    from medssl_bench.encoders import pretrained

    revision = encoder.parameters["revision"]
    if fetch:
        pretrained.have_config(model, revision)
    elif cached_config(model, revision) is None:
        what = "its configuration is not here, so its size is not checked: run downloads it"
        return f"{what} ({pretrained.source(model, revision)})"
    return ""


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
