"""Add noise to images."""

from __future__ import annotations

import math

from torch import Tensor

from medssl_bench.augmentations.op import Op, scale


class GaussianNoise(Op):
    """Add independent normal noise to every value.

    Args:
        std: least and largest standard deviation, values being in [0, 1]; uniform, one for each image.
        per_channel: whether each channel has noise of its own; False keeps grey images grey.
        p: probability with which an image is changed.
    """

    def __init__(self, std: tuple[float, float] = (0.0, 0.1), *, per_channel: bool = True, p: float = 1.0) -> None:
        super().__init__(p)
        self.std = std
        self.per_channel = per_channel

    def draws(self, channels: int, height: int, width: int) -> int:
        """Return one number for the standard deviation and one for each value."""
        return 1 + (channels if self.per_channel else 1) * height * width

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Add noise to (B, C, H, W) images and clamp."""
        std = scale(uniforms[:, :1], *self.std)
        # Uniform numbers have 24 bits; the middle of each step is never 0 or 1, where the quantile is infinite.
        normal = (2 * uniforms[:, 1:] - 1 + 2.0**-24).erfinv() * math.sqrt(2)
        noise = (std * normal).view(len(images), -1, *images.shape[2:])
        return (images + noise.to(images.dtype)).clamp_(0, 1)
