"""Pillow's conversion between RGB and YCbCr of 8 bits, to the digit.

Pillow (``ConvertYCbCr.c``) multiplies by JFIF's coefficients in whole 64ths. Half a 64th is added to each product, it
is then cut towards zero; sums are cut downwards to whole levels. So Y is up to a level too dark, and there and back is
not the image. Whole numbers of this size are exact in float32.
"""

from __future__ import annotations

import torch
from torch import Tensor

_ONE = 64.0
_Y = (0.299, 0.587, 0.114)
_CB = (-0.16874, -0.33126, 0.5)
_CR = (0.5, -0.41869, -0.08131)
_MIDDLE = 128.0


def to_ycbcr(levels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return Y, Cb and Cr of RGB images.

    Args:
        levels: (B, 3, H, W) float32 whole numbers from 0 to 255.

    Returns:
        Each (B, 1, H, W), whole numbers from 0 to 255.
    """
    channels = levels.split(1, dim=1)
    return _sum(channels, _Y), _sum(channels, _CB).add_(_MIDDLE), _sum(channels, _CR).add_(_MIDDLE)


def to_rgb(y: Tensor, cb: Tensor, cr: Tensor) -> Tensor:
    """Return RGB images (B, 3, H, W), whole numbers from 0 to 255; the inverse of `to_ycbcr` but for its rounding."""
    blue, red = cb - _MIDDLE, cr - _MIDDLE
    changes = (_sum((red,), (1.402,)), _sum((blue, red), (-0.34414, -0.71414)), _sum((blue,), (1.772,)))
    return torch.cat([y + change for change in changes], dim=1).clamp_(0, 255)


def _sum(channels: tuple[Tensor, ...], coefficients: tuple[float, ...]) -> Tensor:
    parts = [(channel * (_ONE * by)).add_(0.5).trunc_() for channel, by in zip(channels, coefficients, strict=True)]
    total = parts[0]
    for part in parts[1:]:
        total.add_(part)
    return total.div_(_ONE).floor_()
