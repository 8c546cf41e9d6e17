"""Noise inside a few boxes of an image, or everywhere but in them, as Models Genesis hides parts of organs."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.op import scale as to_range

_GOES_ON = 0.95
"""Probability with which one more box is drawn, as in the authors' code."""

_MARGIN = 3 / 64
"""What stays free along the image's edges, as in the authors' code: 3 pixels of 64."""


class _Painting(Op):
    """What both have in common: a few boxes, and noise.

    Args:
        boxes: largest number of boxes.
        sides: least and largest height and width of a box as fractions of the image's; each uniform.
        p: probability with which an image is changed.
    """

    always: int
    """Boxes that every image has."""

    def __init__(self, boxes: int, sides: tuple[float, float], *, p: float) -> None:
        super().__init__(p)
        self.boxes = boxes
        self.sides = sides

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return 5 for each box (one more, its sides, its place), and one for the noise of each pixel."""
        return 5 * self.boxes + height * width

    def covered(self, uniforms: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Return which pixels lie in a box, (B, 1, H, W) bool, and noise in [0, 1), (B, 1, H, W)."""
        drawn = uniforms[:, : 5 * self.boxes].reshape(-1, self.boxes, 5)
        goes_on = drawn[:, :, 0] < _GOES_ON
        goes_on = goes_on | (torch.arange(self.boxes, device=uniforms.device) < self.always)
        rows = _interval(drawn[:, :, 1], drawn[:, :, 3], self.sides, height)
        columns = _interval(drawn[:, :, 2], drawn[:, :, 4], self.sides, width)
        rows = rows & goes_on.long().cumprod(1).bool()[:, :, None]
        inside = (rows[..., None] & columns[:, :, None]).any(1, keepdim=True)
        return inside, uniforms[:, 5 * self.boxes :].reshape(-1, 1, height, width)


def _interval(length: Tensor, start: Tensor, sides: tuple[float, float], total: int) -> Tensor:
    """Return which of `total` pixels lie in intervals, (B, boxes, total) bool, from uniform numbers (B, boxes)."""
    long = (to_range(length, *sides) * total).round().clamp(1, total)
    margin = (total - long).div(2).floor().clamp(max=round(_MARGIN * total))
    first = margin + (start * (total - long - 2 * margin + 1)).floor()
    pixels = torch.arange(total, device=length.device)
    return (pixels >= first[..., None]) & (pixels < (first + long)[..., None])


class Inpaint(_Painting):
    """Fill a few boxes with noise: predict the inside from around it (Zhou et al. 2019, sec. 3).

    Args:
        boxes: largest number of boxes, which may overlap; each comes with a probability of 0.95 if the one before came.
        sides: least and largest height and width of a box as fractions of the image's.
        p: probability with which an image is changed.
    """

    always = 0

    def __init__(self, boxes: int = 5, sides: tuple[float, float] = (1 / 6, 1 / 3), *, p: float = 0.5) -> None:
        super().__init__(boxes, sides, p=p)

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Fill boxes of each of (B, C, H, W) images; the noise is the same in all channels: grey stays grey."""
        inside, noise = self.covered(uniforms, *images.shape[-2:])
        return torch.where(inside, noise.to(images.dtype), images)


class Outpaint(_Painting):
    """Fill everything but a few boxes with noise: predict the whole from parts (Zhou et al. 2019, sec. 3).

    Args:
        boxes: largest number of boxes, one at least, which may overlap; each further one comes with a probability of
            0.95 if the one before came.
        sides: least and largest height and width of a box as fractions of the image's.
        p: probability with which an image is changed.
    """

    always = 1

    def __init__(self, boxes: int = 5, sides: tuple[float, float] = (3 / 7, 4 / 7), *, p: float = 0.5) -> None:
        super().__init__(boxes, sides, p=p)

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Keep boxes of each of (B, C, H, W) images; the noise is the same in all channels: grey stays grey."""
        inside, noise = self.covered(uniforms, *images.shape[-2:])
        return torch.where(inside, images, noise.to(images.dtype))
