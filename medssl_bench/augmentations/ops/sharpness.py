"""Sharpen images."""

from __future__ import annotations

from torch import Tensor

from medssl_bench.augmentations.op import Op, scale


class Sharpness(Op):
    """Move images away from their smoothed selves, eq. (4.5) of [Jiang 2023] with the kernel (4.4).

    The result is ``smooth (1 - alpha) + image alpha``: an alpha of 0 smooths, 1 changes nothing, more sharpens. The
    one-pixel border is copied, as Pillow and Kornia do.

    Args:
        alpha: least and largest alpha, from 0; uniform.
        p: probability with which an image is changed.
    """

    def __init__(self, alpha: tuple[float, float] = (1.0, 10.0), *, p: float = 1.0) -> None:
        super().__init__(p)
        self.alpha = alpha

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 1: alpha."""
        return 1

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Sharpen (B, C, H, W) images; those of fewer than three pixels a side are all border."""
        if min(images.shape[-2:]) < 3:
            return images
        bands = images[..., :-2, :] + images[..., 1:-1, :] + images[..., 2:, :]
        boxes = bands[..., :-2] + bands[..., 1:-1] + bands[..., 2:]
        inner = images[..., 1:-1, 1:-1]
        # The kernel is a box of ones with 4 more in its middle, so that image - smooth = (9 image - box) / 13.
        amount = ((scale(uniforms[:, 0], *self.alpha) - 1) / 13).to(images.dtype)
        sharpened = images.clone()
        sharpened[..., 1:-1, 1:-1].add_(amount[:, None, None, None] * (9 * inner - boxes))
        return sharpened.clamp_(0, 1)
