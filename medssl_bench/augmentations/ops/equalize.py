"""Equalise the histogram of images."""

from __future__ import annotations

from typing import Literal

import kornia.enhance
import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op, scale
from medssl_bench.augmentations.ops.boxes import DRAWS, draw_sides, draw_start, inside
from medssl_bench.augmentations.ops.grayscale import luma

_RATIO = (3 / 4, 4 / 3)
"""Width by height of a region, as of a random crop."""


class Equalize(Op):
    """Equalise the histogram of Y in full-range YCbCr, with 256 levels; Cb and Cr stay.

    Going to YCbCr and back adds the change of Y to red, green and blue alike, so that no conversion is needed.

    Args:
        p: probability with which an image is equalised.
        rule: ``pillow``: the look-up table of Pillow's ``ImageOps.equalize``, in which the lowest level becomes 0.
            Its integer steps are coarse on small images: up to a half of the pixels end at the highest level, and an
            image does not change when fewer than 255 of its pixels are darker than its brightest level.
            ``equation``: eq. (4.2) of [Jiang 2023], floor(255 cdf).
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
        luminance = luma(images)
        levels = (luminance * 255).round_().clamp_(0, 255)
        if self.region[0] < 1:
            chosen = self._boxes(uniforms[:, -2 - DRAWS :], *images.shape[-2:])
            table = _pillow_table if self.rule == "pillow" else _equation_table
            equalized = torch.where(chosen, _looked_up(levels, table(_histogram(levels, chosen))) / 255, luminance)
        elif self.rule == "pillow":
            equalized = kornia.enhance.equalize(levels / 255)
        else:
            equalized = _looked_up(levels, _equation_table(_histogram(levels))) / 255
        change = equalized - luminance
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
