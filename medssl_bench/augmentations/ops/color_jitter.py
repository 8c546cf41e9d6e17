"""Change brightness, contrast, saturation and hue at random."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op, scale
from medssl_bench.augmentations.ops.grayscale import luma
from medssl_bench.augmentations.ops.hue import shift_hue

Range = tuple[float, float]
_UNCHANGED = (1.0, 1.0)


class ColorJitter(Op):
    """Colour distortion with the meaning that its factors have in torchvision and Pillow.

    Brightness multiplies the image; contrast mixes it with the mean of its luma; saturation mixes it with its luma;
    hue shifts it in HSV. A factor of 1 (a shift of 0) changes nothing. Values are clamped after each of the four.
    Grey images (C = 1) have neither saturation nor hue.

    Args:
        brightness: least and largest factor, from 0; uniform, as are the others.
        contrast: least and largest factor, from 0.
        saturation: least and largest factor, from 0.
        hue: least and largest shift in turns, within [-0.5, 0.5].
        order: ``fixed``: brightness, contrast, saturation, hue, eq. (3.3) of [Jiang 2023]; ``random``: another order
            for each image, as in torchvision and the SimCLR paper.
        p: probability with which an image is changed.
    """

    def __init__(
        self,
        brightness: Range = _UNCHANGED,
        contrast: Range = _UNCHANGED,
        saturation: Range = _UNCHANGED,
        hue: Range = (0.0, 0.0),
        *,
        order: Literal["fixed", "random"] = "fixed",
        p: float = 1.0,
    ) -> None:
        super().__init__(p)
        self.blends = (brightness, contrast, saturation)
        self.hue = hue
        self.order = order

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return the four factors, and for a random order three sorting keys and the place of the hue."""
        return 4 if self.order == "fixed" else 8

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Distort (B, 3, H, W) or (B, 1, H, W) images."""
        factors = torch.stack([scale(uniforms[:, i], *limits) for i, limits in enumerate(self.blends)], dim=1)
        turns = scale(uniforms[:, 3], *self.hue)
        if self.order == "random":
            return self._in_random_order(images, factors, turns, uniforms[:, 4:])
        brightness, contrast, saturation = factors[:, :, None, None, None].unbind(1)
        images = _blend(images.new_zeros(()), images, brightness)
        images = _blend(luma(images).mean((2, 3), keepdim=True), images, contrast)
        images = _blend(luma(images), images, saturation)
        return self._shift(images, turns)

    def _in_random_order(self, images: Tensor, factors: Tensor, turns: Tensor, uniforms: Tensor) -> Tensor:
        """Distort each image in an order of its own.

        A random order of four is a random order of the three blends with the hue put into one of four places. Each
        blend is offered before and after the hue, with the factor 1 where it is not its turn: six blends, which are
        cheap, and one shift of the hue, which is not.
        """
        order = uniforms[:, :3].argsort(1)
        ordered = factors.gather(1, order)
        before_hue = torch.arange(3, device=order.device) < (uniforms[:, 3:4] * 4).floor()
        images = self._blend_in_order(images, order, ordered.where(before_hue, 1.0))
        images = self._shift(images, turns)
        return self._blend_in_order(images, order, ordered.masked_fill(before_hue, 1.0))

    @staticmethod
    def _blend_in_order(images: Tensor, order: Tensor, factors: Tensor) -> Tensor:
        """Apply the blends whose numbers (0 brightness, 1 contrast, 2 saturation) are in `order`, (B, 3)."""
        for step in range(3):
            which = order[:, step, None, None, None]
            grey = luma(images)
            target = grey * (which == 2) + grey.mean((2, 3), keepdim=True) * (which == 1)
            images = _blend(target, images, factors[:, step, None, None, None])
        return images

    def _shift(self, images: Tensor, turns: Tensor) -> Tensor:
        return images if self.hue == (0.0, 0.0) or images.shape[1] == 1 else shift_hue(images, turns)


def _blend(target: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    """Return ``target + factor (images - target)`` in [0, 1]."""
    return torch.lerp(target.to(images.dtype), images, factor.to(images.dtype)).clamp_(0, 1)
