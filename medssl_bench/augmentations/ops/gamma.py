"""Bend the grey scale of images with a power law."""

from __future__ import annotations

from torch import Tensor

from medssl_bench.augmentations.op import Op, scale


class Gamma(Op):
    """Raise every value to a random power: below 1 brightens, above 1 darkens, black and white stay.

    Args:
        gamma: least and largest exponent, above 0; uniform.
        p: probability with which an image is changed.
    """

    def __init__(self, gamma: tuple[float, float] = (0.7, 1.5), *, p: float = 1.0) -> None:
        super().__init__(p)
        self.gamma = gamma

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 1: the exponent."""
        return 1

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Return (B, C, H, W) images to the power of gamma."""
        exponent: Tensor = scale(uniforms[:, 0], *self.gamma)[:, None, None, None].to(images.dtype)
        return images**exponent
