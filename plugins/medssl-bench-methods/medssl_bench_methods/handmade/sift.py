"""SIFT descriptors (Lowe 2004) at fixed places of images, as linear maps of their orientation images."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.augmentations.ops.grayscale import luma
from medssl_bench.methods import in_float32

LENGTH = 128
"""Numbers of a descriptor: 4 x 4 cells of 8 orientations."""
LEVELS = 16
_CELLS, _ORIENTATIONS = 4, 8
_CUT = 0.2
_EPSILON = 1e-6


class PlacedSift(nn.Module):
    """Images to descriptors at the middles of a grid of equal parts.

    Args:
        size: side of the images in pixels.
        grid: descriptors along each axis.
        radius: half of a descriptor's side in pixels.
    """

    weights: Tensor

    def __init__(self, size: int, *, grid: int, radius: float) -> None:
        super().__init__()
        places = (torch.arange(grid) + 0.5) * size / grid - 0.5
        points = torch.cartesian_prod(places, places).view(-1, 2)
        weights = cell_weights(points, radius / 2, size)
        self.register_buffer("weights", weights.flatten(0, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the roots of descriptors (B, `grid` * `grid`, 128) float32, row by row, of images in [0, 1].

        Args:
            images: (B, 3, H, W); others than of `size` are resized.
        """
        side = math.isqrt(self.weights.shape[1])
        if images.shape[-1] != side:
            images = F.interpolate(images, (side, side), mode="bilinear", antialias=True)
        with in_float32(images.device):
            return descriptors(luma(images.float())[:, 0], self.weights).clamp(min=0).sqrt()


def descriptors(grey: Tensor, weights: Tensor) -> Tensor:
    """Return SIFT descriptors of length 1, before roots are taken; those of places without any gradient are 0.

    Args:
        grey: (B, H, W).
        weights: (P * 16, H * W), of `cell_weights`.

    Returns:
        (B, P, 128): row by row of 4 x 4 cells, 8 orientations of each.
    """
    given = orientation_images(grey).flatten(2)  # (B, 8, H * W)
    sums = given @ weights.T
    sums = sums.view(len(grey), _ORIENTATIONS, -1, _CELLS**2).permute(0, 2, 3, 1).flatten(2)
    unit = sums / sums.norm(dim=2, keepdim=True).clamp(min=_EPSILON)
    cut = unit.clamp(max=_CUT)
    return cut / cut.norm(dim=2, keepdim=True).clamp(min=_EPSILON)


def orientation_images(grey: Tensor) -> Tensor:
    """Return the gradient's length where it points into each of 8 directions, shared by the two nearest.

    Differences are those of the neighbours to both sides; the outermost pixels, which lack one, have none. Directions
    are counter-clockwise from the right, in steps of 45 degrees.

    Args:
        grey: (B, H, W).

    Returns:
        (B, 8, H, W).
    """
    right, up = torch.zeros_like(grey), torch.zeros_like(grey)
    right[:, 1:-1, 1:-1] = grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
    up[:, 1:-1, 1:-1] = grey[:, :-2, 1:-1] - grey[:, 2:, 1:-1]
    length = torch.hypot(right, up)
    turn = torch.atan2(up, right) * (_ORIENTATIONS / (2 * math.pi))
    bins = torch.arange(_ORIENTATIONS, device=grey.device)[:, None, None]
    away = (turn[:, None] - bins + _ORIENTATIONS / 2).remainder(_ORIENTATIONS) - _ORIENTATIONS / 2
    return length[:, None] * (1 - away.abs()).clamp(min=0)


def cell_weights(points: Tensor, cell: float, size: int) -> Tensor:
    """Return how much each pixel counts in each cell of descriptors.

    A pixel counts in the cells around it, bilinearly, under a Gaussian of half a descriptor's side
    (Lowe 2004, sec. 6.1).

    Args:
        points: (P, 2) middles of the descriptors in pixels: row, column.
        cell: side of a cell in pixels.
        size: side of the images in pixels.

    Returns:
        (P, 16, size * size).
    """
    pixels = torch.arange(size, dtype=torch.float32)
    away = (pixels - points[:, :, None]) / cell  # (P, 2, size), in cells
    middles = torch.arange(_CELLS) - (_CELLS - 1) / 2
    near = (1 - (away[:, :, None] - middles[:, None]).abs()).clamp(min=0)
    near = near * torch.exp(-(away**2) / (0.5 * _CELLS**2))[:, :, None]
    weights = near[:, 0, :, None, :, None] * near[:, 1, None, :, None, :]
    return weights.reshape(len(points), _CELLS**2, size * size)


def color_histogram(images: Tensor) -> Tensor:
    """Return the root of the share of each of 16 levels in each channel, (B, 48).

    Args:
        images: (B, 3, H, W) in [0, 1].
    """
    levels = (images.float() * LEVELS).floor().clamp(0, LEVELS - 1).flatten(2)
    counts = (levels[:, :, None] == torch.arange(LEVELS, device=images.device)[:, None]).float().mean(dim=3)
    return counts.sqrt().flatten(1)
