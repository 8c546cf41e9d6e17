"""Crop a random box and resize it."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.op import scale as to_range
from medssl_bench.augmentations.ops.boxes import DRAWS, draw_sides, draw_start, inside
from medssl_bench.augmentations.ops.separable import separable


class ResizedCrop(Op):
    """Crop a random box of whole pixels and resize it bilinearly, as torchvision's ``RandomResizedCrop``.

    Every image is cropped: there is no `p`, as an image that passed unchanged would keep its size.

    Args:
        size: side of the result in pixels.
        scale: least and largest part of the image that is kept, in (0, 1]; uniform.
        scale_of: ``area``: `scale` is a fraction of the image's area, as in torchvision and the SimCLR paper;
            ``side``: both sides of the box are this fraction of the image's, as eq. (3.2) of [Jiang 2023] reads.
        ratio: least and largest width divided by height, log-uniform; only for ``area``.
        antialias: average over the pixels that shrink into one, as Pillow does; False samples between neighbours.
    """

    geometric: ClassVar[bool] = True

    def __init__(
        self,
        size: int,
        scale: tuple[float, float] = (0.08, 1.0),
        scale_of: Literal["area", "side"] = "area",
        ratio: tuple[float, float] = (3 / 4, 4 / 3),
        *,
        antialias: bool = True,
    ) -> None:
        super().__init__()
        self.size = size
        self.scale = scale
        self.scale_of = scale_of
        self.ratio = ratio
        self.antialias = antialias

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return how many numbers a box needs: its top and left, then its sides."""
        return 2 + (DRAWS if self.scale_of == "area" else 1)

    def boxes(self, uniforms: Tensor, height: int, width: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return top, left, height and width of the boxes, each (B,), whole numbers in float32."""
        if self.scale_of == "area":
            tall, wide, fits = draw_sides(uniforms[:, 2:], height, width, self.scale, self.ratio)
            whole_height, whole_width = self._fallback(height, width)
            tall, wide = tall.where(fits, whole_height), wide.where(fits, whole_width)
        else:
            part = to_range(uniforms[:, 2], *self.scale)
            tall, wide = (part * height).round().clamp(min=1), (part * width).round().clamp(min=1)
            fits = torch.ones_like(part, dtype=torch.bool)
        top = draw_start(uniforms[:, 0], tall, height).where(fits, ((height - tall) / 2).floor())
        left = draw_start(uniforms[:, 1], wide, width).where(fits, ((width - wide) / 2).floor())
        return top, left, tall, wide

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Return the boxes of (B, C, H, W) images as (B, C, size, size)."""
        height, width = images.shape[-2:]
        top, left, tall, wide = self.boxes(uniforms, height, width)
        rows = resize_weights(top, tall, height, self.size, antialias=self.antialias)
        columns = resize_weights(left, wide, width, self.size, antialias=self.antialias)
        return separable(images, rows.to(images.dtype), columns.to(images.dtype))

    def _fallback(self, height: int, width: int) -> tuple[float, float]:
        """Return the sides of torchvision's central crop for images in which no drawn box fits."""
        low, high = self.ratio
        if width / height < low:
            height = round(width / low)
        elif width / height > high:
            width = round(height * high)
        return float(height), float(width)


def resize_weights(start: Tensor, length: Tensor, total: int, size: int, *, antialias: bool) -> Tensor:
    """Return the matrices that crop an interval of pixels and resize it bilinearly.

    The filter is a triangle around each output pixel's centre, as wide as the larger of an input and an output
    pixel (Pillow's bilinear filter), or always as wide as an input pixel without antialiasing. Pixels outside the
    interval count for nothing.

    Args:
        start: (B,) first pixel of the interval.
        length: (B,) its length in pixels.
        total: pixels of the whole side.
        size: pixels of the result.
        antialias: see `ResizedCrop`.

    Returns:
        (B, `size`, `total`); every row sums to one.
    """
    ratio = (length / size)[:, None]
    centres = (torch.arange(size, device=start.device) + 0.5) * ratio - 0.5
    if antialias:
        support = ratio.clamp(min=1)
    else:
        support = torch.ones_like(ratio)
        centres = centres.clamp(min=0).minimum(length[:, None] - 1)
    offsets = torch.arange(total, device=start.device) - (centres + start[:, None])[:, :, None]
    weights = (1 - offsets.abs() / support[:, :, None]).clamp_(min=0) * inside(start, length, total)[:, None]
    return weights / weights.sum(-1, keepdim=True)
