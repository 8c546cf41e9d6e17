"""What an encoder begins with: random weights, trained ones, or what only its author knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.brought_file import is_brought
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.parameters import ParameterProblem

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Registry

_SCRATCH: dict[str, Any] = {"weights": "scratch", "weights_file": None, "pretrained": False}
"""Values with which an encoder that has these parameters starts from random weights."""

_SAY_SO = ("weights", "pretrained")
"""Parameters of which these values say that it does; a file that is left out says nothing of what happens then."""

_OPTIONS = ("pretrained", "checkpoint")
"""Beginnings of the names of timm's own options that load weights."""


def is_untrained(encoder: Component) -> bool:
    """Return whether an encoder is known to begin with random weights.

    One whose parameters say nothing of weights may load some, as encoders of plugins do: it is not called untrained.
    """
    given = encoder.parameters
    says_so = any(name in given and given[name] == _SCRATCH[name] for name in _SAY_SO)
    may_load = bool(encoder.files) and encoder.plugin != "encoders"  # a file of a built-in one is a configuration
    return says_so and not starts_from_weights(encoder) and not may_load


def starts_from_weights(encoder: Component) -> bool:
    """Return whether an encoder's parameters give it trained weights: a file's, or those that are downloaded."""
    given = encoder.parameters
    options = given.get("options")
    loads = isinstance(options, dict) and any(name.startswith(_OPTIONS) and value for name, value in options.items())
    return loads or any(given[name] not in (None, "", value) for name, value in _SCRATCH.items() if name in given)


def has_no_draw(encoder: Component) -> bool:
    """Return whether no seed draws anything of an encoder: a built-in one whose weights, or features, are all given."""
    return encoder.plugin == "encoders" and (is_brought(encoder) or starts_from_weights(encoder))


def without_weights(encoder: Component, registry: Registry) -> Component:
    """Return an encoder without the trained weights that its parameters may ask for, as far as they let it."""
    table = registry.find("encoder", encoder.name).table
    plain = {name: value for name, value in encoder.parameters.items() if not _is_nested(value)}
    scratch = {}
    for name, value in _SCRATCH.items():
        if name in plain:
            try:
                table.validate({**plain, name: value}, Path())
            except ParameterProblem:  # its author calls random weights otherwise
                continue
            scratch[name] = value
    files = {name: digest for name, digest in encoder.files.items() if name not in scratch}  # a digest is in the key
    return replace(encoder, parameters={**encoder.parameters, **scratch}, files=files)


def named(encoder: Component) -> str:
    """Return an encoder that nothing is pretrained for here, by what it begins with.

    ``untrained resnet18``; ``weights of hub.safetensors, no pretraining here``.
    """
    given = encoder.parameters
    model = str(given.get("model") or encoder.name)
    if is_brought(encoder):
        return f"features of {Path(str(given['file'])).name}, brought from another program"
    if is_untrained(encoder):
        return f"untrained {model}"
    if file := given.get("weights_file"):
        what = f"weights of {Path(str(file)).name}"
    elif given.get("weights") == "pretrained" or given.get("pretrained") is True:
        what = f"pretrained weights of {model}"
    elif isinstance(given.get("weights"), str) and given["weights"] != _SCRATCH["weights"]:
        what = f"{model} with weights {given['weights']}"
    else:
        what = f"{model} as it is made"
    return f"{what}, no pretraining here"


def _is_nested(value: Any) -> bool:
    return any(isinstance(item, Component) for item in (value if isinstance(value, list) else [value]))
