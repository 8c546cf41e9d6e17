"""Equalise the histogram of images."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op, scale
from medssl_bench.augmentations.ops.boxes import DRAWS, draw_sides, draw_start, inside
from medssl_bench.augmentations.ops.grayscale import luma
from medssl_bench.augmentations.ops.pillow_ycbcr import to_rgb, to_ycbcr

_RATIO = (3 / 4, 4 / 3)
"""Width by height of a region, as of a random crop."""


class Equalize(Op):
    """Equalise the histogram of Y in full-range YCbCr, with 256 levels; Cb and Cr stay.

    Args:
        p: probability with which an image is equalised.
        rule: ``pillow``: what Pillow makes of the image in 8 bits, to the digit: ``convert("YCbCr")``, which cuts Y, Cb
            and Cr to whole levels; ``ImageOps.equalize`` of Y, in whose look-up table the lowest level becomes 0; and
            back. The table's integer steps are coarse on small images: up to a half of the pixels end at the highest
            level, and Y does not change when fewer than 255 pixels are darker than its brightest level.
            ``equation``: eq. (4.2) of [Jiang 2023], floor(255 cdf) of Y in 256 levels; Cb and Cr are not rounded.
        strength: least and largest part of the change that is made, in [0, 1]; uniform.
        region: least and largest area of the box that is equalised by its own histogram, as a fraction of the image's;
            uniform, anywhere in the image. (1, 1) is the whole image.
    """

    def __init__(
        self,
        p: float = 0.5,
        rule: Literal["pillow", "equation"] = "pillow",
        strength: tuple[float, float] = (1.0, 1.0),
        region: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        super().__init__(p)
        self.rule = rule
        self.strength = strength
        self.region = region

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return how many numbers strength and region need: none where neither is random."""
        return (self.strength[0] < self.strength[1]) + (2 + DRAWS if self.region[0] < 1 else 0)

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Equalise (B, 3, H, W) RGB or (B, 1, H, W) grey images."""
        chosen = None
        if self.region[0] < 1:
            chosen = self._boxes(uniforms[:, -2 - DRAWS :], *images.shape[-2:])
        change = _pillow_change(images, chosen) if self.rule == "pillow" else _equation_change(images, chosen)
        if chosen is not None:
            change = torch.where(chosen, change, torch.zeros_like(change))
        if self.strength[0] < self.strength[1]:
            change = change * scale(uniforms[:, 0], *self.strength).to(change.dtype)[:, None, None, None]
        elif self.strength[0] < 1:
            change = change * self.strength[0]
        return (images + change).clamp_(0, 1)

    def _boxes(self, uniforms: Tensor, height: int, width: int) -> Tensor:
        """Return which pixels are equalised, (B, 1, H, W) bool; all of them where no box fits."""
        tall, wide, fits = draw_sides(uniforms[:, 2:], height, width, self.region, _RATIO)
        rows = inside(draw_start(uniforms[:, 0], tall, height), tall, height)
        columns = inside(draw_start(uniforms[:, 1], wide, width), wide, width)
        return (rows[:, :, None] & columns[:, None] | ~fits[:, None, None])[:, None]


def _pillow_change(images: Tensor, chosen: Tensor | None) -> Tensor:
    """Return what Pillow adds to images, as grey ones (mode L) or by way of YCbCr."""
    levels = (images.float() * 255).round_().clamp_(0, 255)
    if images.shape[1] == 1:
        found = _looked_up(levels, _pillow_table(_histogram(levels, chosen)))
    else:
        y, cb, cr = to_ycbcr(levels)
        found = to_rgb(_looked_up(y, _pillow_table(_histogram(y, chosen))), cb, cr)
    return (found / 255).to(images.dtype) - images


def _equation_change(images: Tensor, chosen: Tensor | None) -> Tensor:
    """Return what eq. (4.2) adds to Y: to YCbCr and back adds it to red, green and blue alike."""
    luminance = luma(images)
    levels = (luminance * 255).round_().clamp_(0, 255)
    return _looked_up(levels, _equation_table(_histogram(levels, chosen))) / 255 - luminance


def _histogram(levels: Tensor, chosen: Tensor | None = None) -> Tensor:
    """Return how many (chosen) pixels of (B, 1, H, W) whole-numbered levels have each level, (B, 256)."""
    places = levels.flatten(1).to(torch.int64)
    ones = torch.ones_like(places) if chosen is None else chosen.flatten(1).to(torch.int64)
    return places.new_zeros(len(places), 256).scatter_add_(1, places, ones)


def _looked_up(levels: Tensor, table: Tensor) -> Tensor:
    return table.gather(1, levels.flatten(1).to(torch.int64)).view(levels.shape).to(levels.dtype)


def _equation_table(counts: Tensor) -> Tensor:
    """Return floor(255 cdf(level)) for every level, (B, 256)."""
    return counts.cumsum(1) * 255 // counts.sum(1, keepdim=True).clamp(min=1)


def _pillow_table(counts: Tensor) -> Tensor:
    """Return the table of Pillow's ``ImageOps.equalize`` for every level, (B, 256).

    A step is the number of pixels below the highest level there is, divided by 255; without one nothing changes.
    """
    level = torch.arange(256, device=counts.device)
    highest = ((counts > 0) * level).argmax(1, keepdim=True)
    step = (counts.sum(1, keepdim=True) - counts.gather(1, highest)) // 255
    table = ((step // 2 + counts.cumsum(1) - counts) // step.clamp(min=1)).clamp(0, 255)
    return torch.where(step > 0, table, level)
