"""Invert the bright pixels of images."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op


class Solarize(Op):
    """Invert every value from a threshold on, as Pillow's ``ImageOps.solarize``; BYOL and DINO use it with p = 0.2.

    Args:
        threshold: in [0, 1].
        p: probability with which an image is changed.
    """

    def __init__(self, threshold: float = 0.5, *, p: float = 0.2) -> None:
        super().__init__(p)
        self.threshold = threshold

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Return (B, C, H, W) images with 1 - x in place of every x from the threshold on."""
        return torch.where(images >= self.threshold, 1 - images, images)
