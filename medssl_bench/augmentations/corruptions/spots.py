"""What lies on a microscope's slide: dark marks of a stain, and bubbles of air."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op

_LARGEST_MARK = (0.04, 0.1)
"""Least and largest radius of a mark, as a share of the side."""

_DARKNESS = 0.85
"""How much of the light a mark takes."""

_SMALLEST_BUBBLE, _BORDER = 0.015, 0.01
"""Radius of the smallest bubble and width of a bubble's border, as shares of the side."""

_WHITE, _WHITE_BORDER = 100 / 255, 130 / 255
"""How much of a bubble, and of its border, is white."""

_FEWEST_BUBBLES = 7
_MOST_BUBBLES = 20


class StainDeposit(Op):
    """Draw dark marks, ellipses with a soft edge, at random places.

    Args:
        most: the largest number of marks; there is one or more.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return the number of marks, and of each its place, two radii and its direction."""
        return 1 + 5 * self.most

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Darken (B, C, H, W) images."""
        number = 1 + (uniforms[:, 0] * self.most).floor()
        light = torch.ones_like(images[:, :1])
        low, high = _LARGEST_MARK
        for place in range(self.most):
            x, y, wide, tall, turn = uniforms[:, 1 + 5 * place : 6 + 5 * place, None, None].unbind(1)
            across, down = _offsets(images, x, y)
            cosine, sine = (turn * torch.pi).cos(), (turn * torch.pi).sin()
            along, beside = across * cosine + down * sine, down * cosine - across * sine
            radii = low + wide * (high - low), low + tall * (high - low)
            far = ((along / radii[0]) ** 2 + (beside / radii[1]) ** 2).sqrt()
            covered = ((1.25 - far) / 0.5).clamp(0, 1) * (place < number)[:, None, None]
            light *= (1 - _DARKNESS * covered)[:, None]
        return images * light


class Bubble(Op):
    """Draw white bubbles that one can see through, with a brighter border, at random places.

    Args:
        radius: the largest radius, as a share of the side.
    """

    def __init__(self, radius: float) -> None:
        super().__init__()
        self.radius = radius

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return the number of bubbles, and of each its place and radius."""
        return 1 + 3 * _MOST_BUBBLES

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Whiten (B, C, H, W) images."""
        number = _FEWEST_BUBBLES + (uniforms[:, 0] * (_MOST_BUBBLES - _FEWEST_BUBBLES + 1)).floor()
        for place in range(_MOST_BUBBLES):
            x, y, size = uniforms[:, 1 + 3 * place : 4 + 3 * place, None, None].unbind(1)
            across, down = _offsets(images, x, y)
            far = (across**2 + down**2).sqrt()
            radius = _SMALLEST_BUBBLE + size * (self.radius - _SMALLEST_BUBBLE)
            side = images.shape[-1]
            inside, within = (((edge - far) * side + 0.5).clamp(0, 1) for edge in (radius, radius + _BORDER))
            white = _WHITE * inside + _WHITE_BORDER * (within - inside)
            images = images + (1 - images) * (white * (place < number)[:, None, None])[:, None]
        return images.clamp(0, 1)


def _offsets(images: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return how far each pixel lies right of and below a place of its image, (B, H, W) each, in shares of the side."""
    height, width = images.shape[-2:]
    columns = (torch.arange(width, device=images.device) + 0.5) / width
    rows = (torch.arange(height, device=images.device) + 0.5) / height
    return (columns - x).expand(-1, height, -1), (rows[:, None] - y).expand(-1, -1, width)
