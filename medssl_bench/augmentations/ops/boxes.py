"""Random boxes inside an image, as torchvision's random crops and erasures draw them, without its loop."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from medssl_bench.augmentations.op import scale as to_range

TRIES = 10
"""Candidate boxes of an image, as in torchvision."""

DRAWS = 2 * TRIES
"""Uniform numbers that the sides of a box need."""


def draw_sides(
    uniforms: Tensor,
    height: int,
    width: int,
    area: tuple[float, float],
    ratio: tuple[float, float],
    *,
    whole: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the sides of the first of ten random boxes that fits into the image.

    torchvision draws boxes until one fits, ten times at most; here all ten are drawn at once.

    Args:
        uniforms: (B, `DRAWS`) in [0, 1).
        height: of the image, in pixels.
        width: of the image, in pixels.
        area: least and largest area of the box as a fraction of the image's.
        ratio: least and largest width divided by height; its logarithm is uniform.
        whole: whether a box may be as high or wide as the image.

    Returns:
        height (B,) and width (B,) in whole pixels, float32, and whether any box fits (B,) bool; where none does,
        the sides mean nothing.
    """
    areas = to_range(uniforms[:, :TRIES], *area) * (height * width)
    ratios = to_range(uniforms[:, TRIES:DRAWS], math.log(ratio[0]), math.log(ratio[1])).exp()
    heights = (areas / ratios).sqrt().round()
    widths = (areas * ratios).sqrt().round()
    tallest, widest = (height, width) if whole else (height - 1, width - 1)
    fits = (heights >= 1) & (heights <= tallest) & (widths >= 1) & (widths <= widest)
    first = (fits * torch.arange(TRIES, 0, -1, device=fits.device)).argmax(1, keepdim=True)
    return heights.gather(1, first)[:, 0], widths.gather(1, first)[:, 0], fits.any(1)


def draw_start(uniforms: Tensor, length: Tensor, total: int) -> Tensor:
    """Return where an interval of `length` whole pixels starts in `total`: any place as likely as any other.

    Args:
        uniforms: (B,) in [0, 1).
        length: (B,) from 1 to `total`.
        total: side of the image in pixels.

    Returns:
        (B,) float32, whole numbers from 0 to ``total - length``.
    """
    return (uniforms * (total - length + 1)).floor()


def inside(start: Tensor, length: Tensor, total: int) -> Tensor:
    """Return which of `total` pixels lie in an interval, (B, `total`) bool."""
    pixels = torch.arange(total, device=start.device)
    return (pixels >= start[:, None]) & (pixels < (start + length)[:, None])
