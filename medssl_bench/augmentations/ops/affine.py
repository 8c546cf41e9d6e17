"""Rotate, shift and scale images."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.op import scale as to_range


class Affine(Op):
    """Rotate and scale around the centre, then shift; bilinear.

    Args:
        degrees: least and largest rotation, counter-clockwise; uniform, as are the others.
        translate: largest shift along each axis as a fraction of the side, in [0, 1].
        scale: least and largest magnification, above 0.
        padding: what lies outside the image: ``zeros``, the ``border`` repeated, or a ``reflection``.
        p: probability with which an image is changed.
    """

    geometric: ClassVar[bool] = True

    def __init__(
        self,
        degrees: tuple[float, float] = (-10.0, 10.0),
        translate: float = 0.0,
        scale: tuple[float, float] = (1.0, 1.0),
        padding: Literal["zeros", "border", "reflection"] = "zeros",
        *,
        p: float = 1.0,
    ) -> None:
        super().__init__(p)
        self.degrees = degrees
        self.translate = translate
        self.scale = scale
        self.padding = padding

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 4: the rotation, the shift to the right and down, the magnification."""
        return 4

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Move (B, C, H, W) images; what is seen is sampled where the inverse map leads."""
        angle = to_range(uniforms[:, 0], *self.degrees).deg2rad()
        right = to_range(uniforms[:, 1], -2 * self.translate, 2 * self.translate)  # the side is 2 long here
        down = to_range(uniforms[:, 2], -2 * self.translate, 2 * self.translate)
        magnification = to_range(uniforms[:, 3], *self.scale)
        cos, sin = angle.cos() / magnification, angle.sin() / magnification
        aspect = images.shape[-1] / images.shape[-2]
        across = torch.stack([cos, -sin / aspect, sin / aspect * down - cos * right], dim=1)
        along = torch.stack([sin * aspect, cos, -sin * aspect * right - cos * down], dim=1)
        inverse = torch.stack([across, along], dim=1).to(images.dtype)
        grid = F.affine_grid(inverse, list(images.shape), align_corners=False)
        moved = F.grid_sample(images, grid, padding_mode=self.padding, align_corners=False)
        return moved.clamp_(0, 1)
