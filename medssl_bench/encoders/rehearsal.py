"""Builds encoders before a run does, to see whether they can be built: without numbers, on torch's meta device."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from medssl_bench.encoders.dim import check_encoder, feature_dim
from medssl_bench.encoders.given_weights import given_weights, model_of
from medssl_bench.encoders.known_normalisation import unknown_normalisation
from medssl_bench.errors import StageError, UserError, told
from medssl_bench.randomness import forked
from medssl_bench.stopping import Stopped, is_stop

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry


@dataclass(frozen=True)
class Rehearsed:
    """How it went.

    Attributes:
        features: how many features an image has; 0 if there is a problem, or if that is not known yet.
        notes: what the user should know, such as weights that are to be downloaded.
        problem: why the encoder cannot be had, or why the evaluator cannot judge with it, or an empty string.
        is_refused: whether the evaluator is to blame.
    """

    features: int = 0
    notes: tuple[str, ...] = ()
    problem: str = ""
    is_refused: bool = False


class _Refused(StageError):
    """An evaluator cannot judge with an encoder."""


def rehearse(
    registry: Registry, encoder: Component, size: int, evaluator: Component | None = None, *, fetch: bool
) -> Rehearsed:
    """Build an encoder and let it encode two images.

    Args:
        registry: where components come from.
        encoder: what to build; of one with ``weights = "pretrained"`` the weights are not loaded.
        size: side of the images in pixels.
        evaluator: what tries the encoder then; None: nothing does.
        fetch: whether to download pretrained weights that are not here, once; else a note says that a run does.
    """
    try:
        if encoder.plugin == "encoders" and encoder.parameters.get("weights_file") and given_weights(encoder):
            return Rehearsed(problem='weights = "pretrained" and weights_file contradict each other: write one of them')
        if told_later := _not_here(encoder, fetch=fetch):
            return Rehearsed(notes=(told_later,))
        built = _built(registry, _from_scratch(encoder), size, evaluator)
        return Rehearsed(feature_dim(built), _notes(built, encoder, fetch=fetch))
    except BaseException as error:  # SystemExit too: a plugin's code is called
        if is_stop(error):
            raise Stopped from error
        known = isinstance(error, StageError | UserError)
        problem = " ".join(str(error).split()) if known else told(error)
        return Rehearsed(problem=problem, is_refused=isinstance(error, _Refused))


def _notes(built: nn.Module, encoder: Component, *, fetch: bool) -> tuple[str, ...]:
    notes = []
    weights = given_weights(encoder)
    if weights and weights.is_of_hub and not weights.revision:
        commit = weights.commit_here()
        now = f", now {commit}" if commit else ""
        notes.append(f"no revision is given: its authors can change it; write revision = a commit of it{now}")
    if left_out := getattr(built, "left_out", None) if encoder.plugin == "encoders" else None:
        names = ", ".join(left_out[:4]) + (", ..." if len(left_out) > 4 else "")
        notes.append(f"{names} of weights_file are a classifier's, which an encoder has not: left out")
    if weights:
        if weights.library == "timm":
            from medssl_bench.encoders.timm_encoder import TimmEncoder

            assert isinstance(built, TimmEncoder)
            built.normalisation(pretrained=True)  # which weights need not be here for
        given = encoder.parameters
        is_told = given.get("normalize") != "auto" or given.get("mean") is not None
        if not is_told and weights.are_of_another():
            raise StageError(
                "pretrained_cfg_overlay names other weights than timm's own, and not how images were normalised: write "
                "mean and std"
            )
        if not is_told and not weights.says_normalisation():
            notes.append(
                "its configuration has no mean and std: taken to be ImageNet's, as timm takes it; write mean and std "
                "if its authors say others"
            )
        if fetch:
            weights.fetch()
        elif not weights.are_here():
            notes.append(f"its pretrained weights are not here: run downloads them ({weights.source()})")
    elif problem := unknown_normalisation(encoder):
        raise StageError(problem)
    return tuple(notes)


def _not_here(encoder: Component, *, fetch: bool) -> str:
    """Return what is to be said of a model of a hub whose configuration is not here, and is not fetched now."""
    model = model_of(encoder)
    if model is None or not model.is_of_hub:
        return ""
    if fetch:
        model.have_config()
    elif not model.config_is_here():
        return f"its configuration is not here, so its size is not checked: run downloads it ({model.source()})"
    return ""


def _from_scratch(encoder: Component) -> Component:
    """Return an encoder that needs no download; what its weights are changes no shape."""
    if encoder.parameters.get("weights") != "pretrained":
        return encoder
    return replace(encoder, parameters={**encoder.parameters, "weights": "scratch"})


def _built(registry: Registry, encoder: Component, size: int, evaluator: Component | None) -> nn.Module:
    """Return an encoder that has encoded two images, without numbers where that is possible."""
    try:
        with torch.device("meta"), warnings.catch_warnings(action="ignore"):  # of weights that are not taken in
            return _checked(registry, encoder, size, evaluator)
    except Exception as error:
        # a plugin's encoder may ask for numbers, which only a real device has; so may some of timm's
        if encoder.plugin == "encoders" and "meta" not in str(error):
            raise
    return _checked(registry, encoder, size, evaluator)


def _checked(registry: Registry, encoder: Component, size: int, evaluator: Component | None) -> nn.Module:
    with forked(0):
        built: nn.Module = registry.build(encoder, size=size)
    check_encoder(built, size)
    if evaluator is not None:
        try:
            registry.build(evaluator).try_encoder(built)
        except StageError as error:
            raise _Refused(str(error)) from error
    return built
