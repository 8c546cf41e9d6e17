"""How images become what a network was trained to see: its size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch.nn.functional as F

from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from torch import Tensor

Fit = Literal["resize", "pad"]
Interpolation = Literal["nearest", "bilinear", "bicubic"]


@dataclass(frozen=True)
class InputFit:
    """Brings square images of any size to the size at which a network sees them.

    Attributes:
        size: that side in pixels.
        fit: ``resize`` scales images; ``pad`` leaves their pixels as they are, in the middle of a larger image. What is
            around them has the mean that the normalisation takes off, so the network sees zeros there.
        interpolation: of ``resize``. ``bilinear`` and ``bicubic`` average over the pixels that a smaller image merges
            (antialias), as Pillow and torchvision do.
        crop_pct: of ``resize``: share of the side that is kept, in the middle, as timm's configurations call it: images
            are scaled to ``floor(size / crop_pct)`` and cropped.
    """

    size: int
    fit: Fit = "resize"
    interpolation: Interpolation = "bicubic"
    crop_pct: float = 1.0

    def resized(self, images: Tensor) -> Tensor:
        """Return images (B, C, S, S) in [0, 1] scaled to (B, C, size, size), in [0, 1]; ``pad`` scales nothing.

        Raises:
            StageError: images to be padded are larger than `size`.
        """
        side = images.shape[-1]
        if self.fit == "pad":
            if side > self.size:
                raise StageError(
                    f'fit = "pad" makes images larger, and they have {side} pixels, not {self.size} or less'
                )
            return images
        scaled = math.floor(self.size / self.crop_pct)
        if side != scaled:
            images = self._scaled(images, scaled)
        start = round((scaled - self.size) / 2)
        return images[..., start : start + self.size, start : start + self.size]

    def _scaled(self, images: Tensor, side: int) -> Tensor:
        if self.interpolation != "bicubic":
            smooth = self.interpolation == "bilinear"
            return F.interpolate(images, (side, side), mode=self.interpolation, antialias=smooth)
        for sides in ((images.shape[-2], side), (side, side)):  # it overshoots at edges, which Pillow's bytes cannot
            images = F.interpolate(images, sides, mode="bicubic", antialias=True).clamp(0, 1)
        return images

    def padded(self, normalised: Tensor) -> Tensor:
        """Return normalised images (B, C, s, s) with zeros around them, (B, C, size, size)."""
        missing = self.size - normalised.shape[-1]
        if missing <= 0:
            return normalised
        before, after = missing // 2, missing - missing // 2
        return F.pad(normalised, (before, after, before, after))
