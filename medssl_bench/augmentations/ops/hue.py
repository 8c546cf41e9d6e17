"""Turn the hue of RGB images."""

from __future__ import annotations

import torch
from torch import Tensor


def shift_hue(images: Tensor, turns: Tensor) -> Tensor:
    """Shift the hue in HSV, as torchvision and Pillow do, without their tables and branches.

    Each channel of an HSV colour is min + (max - min) t(hue), t being a trapezoid around the channel's own hue, so
    that saturation and value need not be known.

    Args:
        images: (B, 3, H, W) RGB in [0, 1].
        turns: (B,) shift as a fraction of a full turn, in [-0.5, 0.5].

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    red, green, blue = images.unbind(1)
    high = torch.maximum(torch.maximum(red, green), blue)
    low = torch.minimum(torch.minimum(red, green), blue)
    chroma = high - low
    sixths = torch.where(
        high == red,
        green - blue,
        torch.where(high == green, (blue - red) + 2 * chroma, (red - green) + 4 * chroma),
    )
    # grey pixels have no hue: their chroma is 0, and whatever stands here counts for nothing
    hue = sixths / chroma.clamp(min=torch.finfo(images.dtype).tiny) + 6 * turns[:, None, None]
    hue -= 6 * (hue / 6).floor()
    trapezoids = ((hue - 3).abs() - 1, 2 - (hue - 2).abs(), 2 - (hue - 4).abs())
    return torch.stack([low + chroma * trapezoid.clamp_(0, 1) for trapezoid in trapezoids], dim=1).clamp_(0, 1)
