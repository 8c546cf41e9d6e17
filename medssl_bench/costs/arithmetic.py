"""Multiply-adds and parameters of encoders, by counting; no torch is needed to know them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from medssl_bench.costs.timm_models import architecture_of, is_timm, timm_arithmetic
from medssl_bench.encoders.patch import fitting_patch
from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from medssl_bench.plugin.component import Component

_DEPTHS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3), "resnet50": (3, 4, 6, 3)}
_WIDTHS = {"vit_tiny": 192, "vit_small": 384}
_VIT_DEPTH = 12
_PATCH = re.compile(r"_patch(\d+)")
"""The side of a ViT's patches in timm's name of it."""
_SMALL_MAP = 2
"""Side of the largest maps whose 3x3 convolutions are computed without taps on padding (`encoders/small_maps.py`)."""
_OF_HUBS = ("transformers", "open_clip")
"""Encoders that see images at the size that a configuration says."""
_USUAL_SIDE = 224
"""The size in pixels that most configurations say."""


@dataclass(frozen=True)
class Arithmetic:
    """What an encoder computes for one image.

    Attributes:
        multiply_adds: of a forward pass, those of matrix products and convolutions.
        parameters: how many it has.
    """

    multiply_adds: float
    parameters: float


def relative(encoder: Component, size: int | None, made_for: int | None = None) -> Arithmetic:
    """Return the arithmetic of an encoder, where a ResNet-18 at 28 pixels has 1 of each.

    Args:
        encoder: an encoder; one that is not known, such as a plugin's, counts as a ResNet-18, a built-in one at its
            ``input_size``; of transformers and open_clip that is 224 where it is not given.
        size: side of the images in pixels; None: not known, taken as 28.
        made_for: side of the images that it was made for; None: of these. A ViT resizes others to it, unless it has
            ``dynamic_img_size``.
    """
    made_for = made_for or size
    one = _counted("resnet18", 28, "imagenet", None)
    if (found := _of_timm(encoder, size, made_for)) is not None:
        return Arithmetic(found.multiply_adds / one.multiply_adds, found.parameters / one.parameters)
    known = encoder.name in _DEPTHS or encoder.name in _WIDTHS
    parameters: Mapping[str, Any] = encoder.parameters if known else {}
    name = encoder.name if known else "resnet18"
    size = size if known else _seen(encoder) or size
    patch = parameters.get("patch")
    if encoder.name in _WIDTHS and not parameters.get("dynamic_img_size"):
        size = made_for
    elif encoder.name in _WIDTHS and patch is None and made_for is not None:
        patch = _usual_patch(made_for)
    found = _counted(name, size or 28, str(parameters.get("stem", "imagenet")), patch)
    return Arithmetic(found.multiply_adds / one.multiply_adds, found.parameters / one.parameters)


def share_of_view(encoder: Component, side: int, size: int) -> float:
    """Return the work of a pass of a view, where one of a view of full size is 1.

    Durations of equal compute depend on it, and so do keys: models of ``timm`` share as a ResNet-18 does.

    Args:
        encoder: an encoder.
        side: of the view in pixels.
        size: side of a view of full size in pixels.
    """
    if is_timm(encoder) and encoder.parameters.get("input_size"):  # it sees all views at this size
        return 1.0
    if is_timm(encoder) or _seen(encoder):
        encoder = replace(encoder, name="resnet18", parameters={})
    return relative(encoder, side, made_for=size).multiply_adds / relative(encoder, size).multiply_adds


def _seen(encoder: Component) -> int | None:
    """Return the side in pixels at which a built-in encoder sees all images, if that may not be their own."""
    if encoder.plugin != "encoders":
        return None
    side = encoder.parameters.get("input_size")
    if side is None and encoder.name in _OF_HUBS:
        return _USUAL_SIDE
    return side if isinstance(side, int) else None


def _of_timm(encoder: Component, size: int | None, made_for: int | None) -> Arithmetic | None:
    """Return the arithmetic of a model of timm, or None if it is not known."""
    if not is_timm(encoder):
        return None
    given = encoder.parameters
    side, model = given.get("input_size"), architecture_of(given)
    if model in _DEPTHS:
        return _counted(model, side or size or 28, "imagenet", None)
    known = timm_arithmetic(model)
    if known is None:
        return None
    options = given.get("options") or {}
    usual, patch = _PATCH.search(model), options.get("patch_size")
    if usual and isinstance(patch, int) and patch > 0:
        known = known.with_tokens((int(usual[1]) / patch) ** 2)
    if known.has_one_size:
        size = options.get("img_size") if isinstance(options.get("img_size"), int) else made_for
    return Arithmetic(known.multiply_adds(side or size or 28), known.parameters)


@lru_cache(maxsize=128)
def _counted(name: str, size: int, stem: str, patch: int | None) -> Arithmetic:
    return _vit(_WIDTHS[name], size, patch) if name in _WIDTHS else _resnet(name, size, small_stem=stem == "small")


class _Convolutions:
    """Counts convolutions one after the other, of an image that starts with a side and three channels."""

    def __init__(self, side: int) -> None:
        self.side, self.channels = side, 3
        self.multiply_adds = self.parameters = 0.0

    def add(self, channels: int, kernel: int, stride: int = 1, *, aside: bool = False) -> None:
        """Count a convolution and the normalisation behind it; one `aside` leaves the map as it was."""
        side = -(-self.side // stride)
        taps = kernel**2 * side**2  # pairs of a pixel in and a pixel out, those on padding included
        if kernel == 3 and self.side <= _SMALL_MAP:
            taps = self.side**2 * side**2
        self.multiply_adds += taps * self.channels * channels
        self.parameters += kernel**2 * self.channels * channels + 2 * channels
        if not aside:
            self.side, self.channels = side, channels


def _resnet(name: str, size: int, *, small_stem: bool) -> Arithmetic:
    count = _Convolutions(size)
    if small_stem:
        count.add(64, 3)
    else:
        count.add(64, 7, 2)
        count.side = -(-count.side // 2)  # pooling
    bottleneck = name == "resnet50"
    for stage, blocks in enumerate(_DEPTHS[name]):
        for block in range(blocks):
            width, stride = 64 * 2**stage, 2 if stage and not block else 1
            out = 4 * width if bottleneck else width
            if stride != 1 or count.channels != out:
                count.add(out, 1, stride, aside=True)
            if bottleneck:
                count.add(width, 1)
            count.add(width, 3, stride)
            count.add(out, 1 if bottleneck else 3)
    return Arithmetic(count.multiply_adds, count.parameters)


def _vit(width: int, size: int, patch: int | None) -> Arithmetic:
    """Count tokens through blocks of attention and a perceptron of four times the width."""
    patch = _usual_patch(size, patch)
    patches = (size // patch) ** 2
    tokens, weights = patches + 1, 12 * width**2
    block = tokens * weights + 2 * tokens**2 * width
    embedding = 3 * patch**2 * width
    parameters = _VIT_DEPTH * (weights + 13 * width) + embedding + width * (tokens + 4)
    return Arithmetic(_VIT_DEPTH * block + patches * embedding, parameters)


def _usual_patch(size: int, patch: int | None = None) -> int:
    try:
        return fitting_patch(size, patch)
    except StageError:  # the stage will say so
        return patch or max(1, size // 7)
