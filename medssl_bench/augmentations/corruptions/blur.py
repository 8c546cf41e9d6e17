"""Blurs: out of focus, and moved while the picture was taken."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.augmentations.op import Op

_FINER = 15
"""Points of a pixel's side by which the share of it is found that a disc covers."""

_STEPS = 8
"""Points of a line on each side of its middle."""

_REACH = 2.5
"""Length of a line on each side of its middle, in deviations."""


class DefocusBlur(Op):
    """Blur with a disc, as a lens out of focus does, and a reflected border.

    Args:
        radius: of the disc in pixels.
    """

    def __init__(self, radius: float) -> None:
        super().__init__()
        self.radius = radius

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Blur (B, C, H, W) images."""
        kernel = disc(self.radius).to(images)
        reach = kernel.shape[0] // 2
        channels = images.shape[1]
        padded = F.pad(images, (reach, reach, reach, reach), mode="reflect")
        weight = kernel.expand(channels, 1, -1, -1)
        return F.conv2d(padded, weight, groups=channels).clamp_(0, 1)


def disc(radius: float) -> Tensor:
    """Return the shares of pixels that a disc around the middle one covers, (K, K), K odd; they sum to 1."""
    reach = max(1, math.ceil(radius - 0.5))
    number = (2 * reach + 1) * _FINER
    points = (2 * torch.arange(number) + 1 - number) / (2 * _FINER)  # to the bit the same on both sides
    inside = (points[:, None] ** 2 + points**2 <= radius**2).float()
    covered = F.avg_pool2d(inside[None, None], _FINER)[0, 0]
    return covered / covered.sum()


class MotionBlur(Op):
    """Blur along a line of random direction, within 45 degrees of the horizontal, with normal weights.

    Args:
        std: standard deviation of the weights along the line, in pixels.
    """

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 1: the direction."""
        return 1

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Blur (B, C, H, W) images, each along a line of its own."""
        angle = (uniforms[:, 0] - 0.5) * (math.pi / 2)
        height, width = images.shape[-2:]
        along = torch.stack([2 * angle.cos() / width, 2 * angle.sin() / height], 1)
        places = torch.linspace(-_REACH, _REACH, 2 * _STEPS + 1).tolist()
        weights = [math.exp(-(place**2) / 2) for place in places]
        unmoved = F.affine_grid(torch.eye(2, 3, device=images.device)[None], [1, 1, height, width], align_corners=False)
        found = torch.zeros_like(images)
        for place, weight in zip(places, weights, strict=True):
            grid = unmoved + (place * self.std * along)[:, None, None].to(unmoved)
            moved = F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
            found += weight / sum(weights) * moved
        return found.clamp_(0, 1)
