"""Map intensities by a random Bezier curve, as Models Genesis changes the look of organs."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op

_LEVELS = 256
_POINTS = 1024
"""Points of a curve that are joined by lines."""


class Bezier(Op):
    """Map intensities by a cubic Bezier curve from (0, 0) to (1, 1) by two random points (Zhou et al. 2019, sec. 3).

    Such a curve never falls, as its points lie in the unit square. All channels are mapped alike.

    Args:
        inverted: probability with which the image is made negative first: its mapping then falls. The authors' code
            has 0.5.
        p: probability with which an image is changed.
    """

    def __init__(self, inverted: float = 0.5, *, p: float = 0.5) -> None:
        super().__init__(p)
        self.inverted = inverted

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 5: whether the mapping falls, and the two points."""
        return 5

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Map each of (B, C, H, W) images by a curve of its own."""
        table = bezier_table(uniforms[:, 1:])
        falls = (uniforms[:, :1] < self.inverted).expand_as(table)
        return looked_up(images, torch.where(falls, table.flip(1), table))


def bezier_table(points: Tensor) -> Tensor:
    """Return the curve's height over 256 levels from 0 to 1, which rises, (B, 256).

    Args:
        points: (B, 4) in [0, 1]: x and y of the first point between the ends, then of the second.
    """
    t = torch.linspace(0, 1, _POINTS, device=points.device)
    second, third = 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2
    across = points[:, 0:1] * second + points[:, 2:3] * third + t**3
    upward = points[:, 1:2] * second + points[:, 3:4] * third + t**3
    levels = torch.linspace(0, 1, _LEVELS, device=points.device).expand(len(points), -1).contiguous()
    after = torch.searchsorted(across, levels, right=True).clamp(1, _POINTS - 1)
    left, right = across.gather(1, after - 1), across.gather(1, after)
    part = ((levels - left) / (right - left).clamp(min=1e-12)).clamp(0, 1)
    return torch.lerp(upward.gather(1, after - 1), upward.gather(1, after), part).clamp(0, 1)


def looked_up(images: Tensor, table: Tensor) -> Tensor:
    """Return images mapped by a table of each, straight between its levels.

    Args:
        images: (B, C, H, W) in [0, 1].
        table: (B, L), what values from 0 to 1 become.
    """
    last = table.shape[1] - 1
    places = images.flatten(1) * last
    below = places.floor().clamp(0, last - 1)
    low, high = table.gather(1, below.long()), table.gather(1, below.long() + 1)
    return torch.lerp(low, high, places - below).clamp(0, 1).view(images.shape).to(images.dtype)
