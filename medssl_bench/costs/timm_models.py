"""What models of timm compute, from a file that is counted beforehand: plans import no torch.

``tests/costs/timm_costs.py`` counts them and writes ``timm_models.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.encoders.hub_names import cached_config, is_hub_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.plugin.component import Component

_FILE = Path(__file__).with_suffix(".json")


@dataclass(frozen=True)
class TimmArithmetic:
    """What a model computes.

    Attributes:
        parameters: how many it has.
        linear: multiply-adds for each pixel: of convolutions, and of what is done to each token.
        quadratic: multiply-adds for each pair of pixels: of attention between all tokens.
        has_one_size: whether it is made for images of one size, as most ViTs are.
    """

    parameters: float
    linear: float
    quadratic: float
    has_one_size: bool

    def with_tokens(self, more: float) -> TimmArithmetic:
        """Return the arithmetic of the same ViT with so many times the tokens, of smaller patches."""
        return replace(self, linear=self.linear * more, quadratic=self.quadratic * more**2)

    def multiply_adds(self, side: int) -> float:
        """Return the multiply-adds of a forward pass of an image, given its side in pixels."""
        return self.linear * side**2 + self.quadratic * side**4


def is_timm(encoder: Component) -> bool:
    """Return whether an encoder is the built-in one that makes any model of timm."""
    return encoder.plugin == "encoders" and encoder.name == "timm"


def architecture_of(parameters: Mapping[str, Any]) -> str:
    """Return the name of a model without the tag of its weights; of a hub's, what its configuration here says."""
    model = str(parameters.get("model", ""))
    if is_hub_name(model):
        model = str((cached_config(model, parameters.get("revision")) or {}).get("architecture", ""))
    return model.partition(".")[0]


def timm_arithmetic(model: str) -> TimmArithmetic | None:
    """Return the arithmetic of a model, or None if it is not in the file."""
    if model not in _counted():
        return None
    parameters, linear, quadratic, side = _counted()[model]
    return TimmArithmetic(parameters, linear, quadratic, has_one_size=side > 0)


@cache
def _counted() -> dict[str, list[float]]:
    table: dict[str, list[float]] = json.loads(_FILE.read_text("utf-8"))
    return table
