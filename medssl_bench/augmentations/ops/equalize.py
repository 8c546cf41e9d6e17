"""Equalise the histogram of images."""

from __future__ import annotations

from typing import Literal

import kornia.enhance
import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.ops.grayscale import luma


class Equalize(Op):
    """Equalise the histogram of Y in full-range YCbCr, with 256 levels; Cb and Cr stay.

    Going to YCbCr and back adds the change of Y to red, green and blue alike, so that no conversion is needed.

    Args:
        p: probability with which an image is equalised.
        rule: ``pillow``: the look-up table of Pillow's ``ImageOps.equalize``, in which the lowest level becomes 0.
            Its integer steps are coarse on small images: up to a half of the pixels end at the highest level, and an
            image does not change when fewer than 255 of its pixels are darker than its brightest level.
            ``equation``: eq. (4.2) of [Jiang 2023], floor(255 cdf).
    """

    def __init__(self, p: float = 0.5, rule: Literal["pillow", "equation"] = "pillow") -> None:
        super().__init__(p)
        self.rule = rule

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Equalise (B, 3, H, W) RGB or (B, 1, H, W) grey images."""
        luminance = luma(images)
        levels = (luminance * 255).round_().clamp_(0, 255)
        equalized = kornia.enhance.equalize(levels / 255) if self.rule == "pillow" else _by_equation(levels) / 255
        return (images + (equalized - luminance)).clamp_(0, 1)


def _by_equation(levels: Tensor) -> Tensor:
    """Return floor(255 cdf(level)) for every pixel of (B, 1, H, W) whole-numbered levels in [0, 255]."""
    places = levels.flatten(1).to(torch.int64)
    counts = places.new_zeros(len(places), 256).scatter_add_(1, places, torch.ones_like(places))
    table = counts.cumsum(1) * 255 // places.shape[1]
    return table.gather(1, places).view(levels.shape).to(levels.dtype)
