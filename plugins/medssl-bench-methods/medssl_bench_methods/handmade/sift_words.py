"""Bags of visual words: how often an image has descriptors that are like each word (Sivic and Zisserman 2003)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench_methods.clustering.kmeans import nearest
from medssl_bench_methods.handmade.sift import LENGTH, LEVELS, PlacedSift, color_histogram


class SiftWords(nn.Module):
    """Images to histograms of SIFT words.

    Attributes:
        dim: the number of words, and 48 numbers of colours if they are asked for.
        words: (K, 128): what descriptors are compared with; drawn until a codebook is fitted.

    Args:
        size: side of the images in pixels.
        words: number of words K.
        grid: descriptors along each axis.
        radius: half of a descriptor's side in pixels.
        color: whether to append a histogram of each channel.
    """

    recordable = True
    words: Tensor

    def __init__(self, size: int, *, words: int, grid: int, radius: float, color: bool) -> None:
        super().__init__()
        self.sift = PlacedSift(size, grid=grid, radius=radius)
        self.color = color
        self.dim = words + (3 * LEVELS if color else 0)
        self.register_buffer("words", F.normalize(torch.randn(words, LENGTH).abs(), dim=1))

    def descriptors(self, images: Tensor) -> Tensor:
        """Return the descriptors of images, (B * `grid` * `grid`, 128) float32."""
        found: Tensor = self.sift(images)
        return found.flatten(0, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Return the root of each word's share of the descriptors, (B, `dim`) float32.

        Args:
            images: (B, 3, H, W) in [0, 1]; others than of `size` are resized.
        """
        chosen = nearest(self.descriptors(images), self.words).view(len(images), -1)
        counts = torch.zeros(len(images), len(self.words), device=images.device)
        counts.scatter_add_(1, chosen, torch.ones_like(chosen, dtype=counts.dtype))
        shares = (counts / chosen.shape[1]).sqrt()
        return torch.cat([shares, color_histogram(images)], dim=1) if self.color else shares
