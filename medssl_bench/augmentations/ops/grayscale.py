"""Grey images, and the luma that several ops work on."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from medssl_bench.augmentations.op import Op

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in ITU-R BT.601's luma, which is Y of Pillow's and JPEG's YCbCr."""


def luma(images: Tensor) -> Tensor:
    """Return the luma of RGB images, (B, 3, H, W) to (B, 1, H, W); grey images are their own."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.split(1, dim=1)
    return red.mul(LUMA[0]).add_(green, alpha=LUMA[1]).add_(blue, alpha=LUMA[2])


class Grayscale(Op):
    """Give every channel the grey value of the pixel.

    Args:
        p: probability with which an image is made grey.
        weights: ``mean`` of the channels, eq. (3.4) of [Jiang 2023], or ``luma`` of ITU-R BT.601, as Pillow.
    """

    def __init__(self, p: float = 0.2, weights: Literal["mean", "luma"] = "mean") -> None:
        super().__init__(p)
        self.weights = weights

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Return (B, C, H, W) images whose channels are all the same."""
        grey = luma(images) if self.weights == "luma" else images.mean(1, keepdim=True)
        return grey.clamp(0, 1).expand_as(images)
