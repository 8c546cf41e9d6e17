"""Turn images by multiples of 90 degrees, without resampling."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op
from medssl_bench.errors import UserError


class Rotate90(Op):
    """Turn square images by 0, 90, 180 or 270 degrees, each as likely as the others."""

    geometric: ClassVar[bool] = True

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 1: how far to turn."""
        return 1

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Turn each image counter-clockwise by floor(4 u) times 90 degrees.

        Args:
            images: (B, C, H, H) in [0, 1].
            uniforms: (B, 1) in [0, 1).

        Raises:
            UserError: the images are not square.
        """
        height, width = images.shape[-2:]
        if height != width:
            raise UserError(f"rotate90 needs square images, not {height}x{width}; put a resized_crop before it")
        turns = (uniforms[:, 0] * 4).floor()[:, None, None, None]
        turned = images
        for times in (1, 2, 3):
            turned = torch.where(turns == times, images.rot90(times, (-2, -1)), turned)
        return turned
