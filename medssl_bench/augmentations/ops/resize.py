"""Bring images to a size."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from medssl_bench.augmentations.op import Op


class Resize(Op):
    """Resize the whole image bilinearly with antialiasing; images of the right size pass unchanged.

    Args:
        size: side of the result in pixels.
    """

    geometric: ClassVar[bool] = True

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Return (B, C, H, W) images as (B, C, size, size)."""
        if images.shape[-2:] == (self.size, self.size):
            return images
        resized = F.interpolate(images, (self.size, self.size), mode="bilinear", align_corners=False, antialias=True)
        return resized.clamp(0, 1)
