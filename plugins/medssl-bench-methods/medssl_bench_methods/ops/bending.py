"""Bend images smoothly, as tissue is bent between two sections."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.augmentations.op import Op, scale

_REACH = 4.0
"""A kernel ends at so many standard deviations, as SciPy's."""


class Elastic(Op):
    """Move every pixel by a smooth random field (Simard et al. 2003); bilinear, with a reflected border.

    Args:
        alpha: least and largest reach of an image's field as a fraction of the side: the pixel that moves most along an
            axis moves so far; uniform. (Simard et al. and torchvision multiply the smoothed noise by their alpha: how
            far pixels then move depends on sigma.)
        sigma: standard deviation of the Gaussian that smooths the noise, as a fraction of the side.
        p: probability with which an image is bent.
    """

    geometric: ClassVar[bool] = True

    def __init__(self, alpha: tuple[float, float] = (0.0, 0.1), sigma: float = 0.125, *, p: float = 1.0) -> None:
        super().__init__(p)
        self.alpha = alpha
        self.sigma = sigma

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 1 for the reach, and two for each pixel."""
        return 1 + 2 * height * width

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Bend (B, C, H, W) images, each by a field of its own."""
        height, width = images.shape[-2:]
        noise = 2 * uniforms[:, 1:].reshape(-1, 2, height, width) - 1
        field = smoothed(noise, self.sigma * height, self.sigma * width)
        field = field / field.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12)
        reach = scale(uniforms[:, 0], *self.alpha)[:, None, None]
        return warped(images, reach * height * field[:, 0], reach * width * field[:, 1])


def warped(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Return images whose pixel at (y, x) is what was at (y + down, x + right); bilinear, reflected at their edges.

    Args:
        images: (B, C, H, W) in [0, 1].
        down: (B, H, W) in pixels.
        right: (B, H, W) in pixels.
    """
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device)[:, None] + down
    columns = torch.arange(width, device=images.device) + right
    grid = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], dim=3).to(images.dtype)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False).clamp_(0, 1)


def smoothed(fields: Tensor, down: float, right: float) -> Tensor:
    """Return fields smoothed by a Gaussian, reflected at their edges.

    Args:
        fields: (..., H, W).
        down: standard deviation along the rows' axis in pixels; 0 does not smooth.
        right: along the columns' axis.
    """
    height, width = fields.shape[-2:]
    rows, columns = _gaussian(height, down, fields.device), _gaussian(width, right, fields.device)
    return rows @ fields @ columns.mT


def _gaussian(length: int, sigma: float, device: torch.device) -> Tensor:
    """Return the smoothing of `length` pixels as a matrix whose rows sum to one."""
    radius = int(_REACH * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, device=device)
    taps = torch.exp(-0.5 * (offsets / max(sigma, 1e-6)) ** 2)
    pixels = torch.arange(length, device=device)
    reached = (pixels[:, None] + offsets[:, None, None]).remainder(2 * length)
    reached = torch.minimum(reached, 2 * length - 1 - reached)  # the edge's pixel is met twice
    return torch.einsum("k,kij->ij", taps / taps.sum(), (reached == pixels).to(taps.dtype))
