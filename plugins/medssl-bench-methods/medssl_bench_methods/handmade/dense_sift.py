"""SIFT descriptors at fixed places, averaged over parts of the image."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench_methods.handmade.sift import LENGTH, LEVELS, PlacedSift, color_histogram


class DenseSift(nn.Module):
    """Images to pooled SIFT descriptors.

    Attributes:
        dim: 128 numbers for each part that is pooled over, and 48 of colours if they are asked for.

    Args:
        size: side of the images in pixels.
        grid: descriptors along each axis.
        radius: half of a descriptor's side in pixels.
        pool: parts along each axis over whose descriptors is averaged.
        color: whether to append a histogram of each channel.
    """

    recordable = True

    def __init__(self, size: int, *, grid: int, radius: float, pool: int, color: bool) -> None:
        super().__init__()
        self.sift = PlacedSift(size, grid=grid, radius=radius)
        self.grid, self.pool, self.color = grid, pool, color
        self.dim = pool * pool * LENGTH + (3 * LEVELS if color else 0)

    def forward(self, images: Tensor) -> Tensor:
        """Return features (B, `dim`) float32 of images (B, 3, H, W) in [0, 1]; others than of `size` are resized."""
        maps = self.sift(images).view(len(images), self.grid, self.grid, -1).permute(0, 3, 1, 2)
        features = F.adaptive_avg_pool2d(maps, self.pool).flatten(1)
        return torch.cat([features, color_histogram(images)], dim=1) if self.color else features
