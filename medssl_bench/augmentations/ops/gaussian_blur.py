"""Blur images."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op, scale
from medssl_bench.augmentations.ops.separable import separable
from medssl_bench.errors import UserError


class GaussianBlur(Op):
    """Blur with a Gaussian kernel of random width and a reflected border, eq. (3.6) and (3.7) of [Jiang 2023].

    Args:
        kernel_size: side of the kernel in pixels, odd.
        sigma: least and largest standard deviation in pixels, above 0; uniform.
        p: probability with which an image is blurred.

    Raises:
        UserError: the kernel's side is even.
    """

    def __init__(self, kernel_size: int = 9, sigma: tuple[float, float] = (0.1, 2.0), *, p: float = 1.0) -> None:
        super().__init__(p)
        if kernel_size % 2 == 0:
            raise UserError(f"the side of a Gaussian kernel is an odd number of pixels, not {kernel_size}")
        self.kernel_size = kernel_size
        self.sigma = sigma

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 1: the standard deviation."""
        return 1

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Blur (B, C, H, W) images, each with a kernel of its own."""
        offsets = torch.arange(self.kernel_size, device=images.device) - self.kernel_size // 2
        taps = (-0.5 * (offsets / scale(uniforms, *self.sigma)) ** 2).exp()
        taps = (taps / taps.sum(1, keepdim=True)).to(images.dtype)
        height, width = images.shape[-2:]
        return separable(images, _band(taps, offsets, height), _band(taps, offsets, width))


def _band(taps: Tensor, offsets: Tensor, length: int) -> Tensor:
    """Return the convolution with symmetric taps and a reflected border as a matrix.

    Args:
        taps: (B, K).
        offsets: (K,) places of the taps in pixels from the centre.
        length: pixels of the side.

    Returns:
        (B, `length`, `length`).
    """
    pixels = torch.arange(length, device=taps.device)
    period = max(2 * (length - 1), 1)
    reached = (pixels[:, None] + offsets[:, None, None]).remainder(period)
    reached = torch.minimum(reached, period - reached) if length > 1 else torch.zeros_like(reached)
    shifts = (reached == pixels).to(taps.dtype)
    return (taps @ shifts.flatten(1)).view(-1, length, length)
