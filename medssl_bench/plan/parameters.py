"""The settings of a stage as a suite writes them, for people and for programs that show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.datasets.budget import Budget
from medssl_bench.plan.class_map import ClassMap
from medssl_bench.plan.spec import DatasetSpec, EncoderSpec, PoolPart
from medssl_bench.plugin.component import Component

if TYPE_CHECKING:
    from medssl_bench.plan.spec import Spec

_LEFT_OUT = frozenset({"seed", "draw", "start", "teacher", "unlabelled", "trains_encoder", "sweep"})
"""What a stage is of, keys and fingerprints, which say nothing to people, and what no suite sets."""


def parameters_of(spec: Spec) -> dict[str, Any]:
    """Return the settings of a stage: JSON-able values by name, components as tables with their ``name``.

    Everything is in it that a suite sets for such a stage, with the defaults, but for what is not set (None).
    """
    named = {name: getattr(spec, name) for name in type(spec).model_fields if name not in _LEFT_OUT}
    named |= named.pop("duration", {})  # as a suite has it: epochs = 10
    if named["epochs_scale"] == 1:
        del named["epochs_scale"]
    plain = {name: _plain(value) for name, value in named.items()}
    return {name: value for name, value in plain.items() if value not in (None, [], {})}


def _plain(value: Any) -> Any:
    match value:
        case Component():
            tuned = {"tune": _plain(value.tune)} if value.tune else {}
            return {"name": value.name, **_plain(value.parameters), **tuned}
        case DatasetSpec() | EncoderSpec():
            return _plain(value.component)
        case PoolPart():
            return {"dataset": _plain(value.dataset), "train": value.train, "unlabelled": value.unlabelled is not None}
        case Budget():
            return value.text
        case ClassMap():
            return _plain(value.to_data())
        case dict():
            return {name: _plain(item) for name, item in value.items() if item is not None}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value
