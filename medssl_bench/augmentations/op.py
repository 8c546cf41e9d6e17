"""One step of an augmentation: a pure function of images and of uniform numbers."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn


class Op(nn.Module):
    """A batched random op.

    An op draws nothing itself: it declares how many uniform numbers an image needs and is given them. It is
    therefore reproducible, testable on injected numbers, and free of host synchronisation.

    Attributes:
        geometric: whether it moves pixels; other ops change intensities only. Methods may ask for views with the
            geometry alone.

    Args:
        p: probability with which an image is transformed; the others pass unchanged.
    """

    geometric: ClassVar[bool] = False

    def __init__(self, p: float = 1.0) -> None:
        super().__init__()
        self.p = p

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return how many uniform numbers one image of this shape needs, besides the coin of `p`."""
        return 0

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Transform every image.

        Args:
            images: (B, C, H, W) float in [0, 1].
            uniforms: (B, `draws`) float32 in [0, 1).

        Returns:
            (B, C, H', W') float in [0, 1].
        """
        raise NotImplementedError

    def forward(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Transform each image with probability `p`; column 0 of `uniforms` is the coin, the others are the op's."""
        if self.p <= 0:
            return images
        changed = self.transform(images, uniforms[:, 1:])
        if self.p >= 1:
            return changed
        chosen = uniforms[:, 0] < self.p
        return torch.where(chosen[:, None, None, None], changed, images)


def scale(uniforms: Tensor, low: float, high: float) -> Tensor:
    """Return uniform numbers of [0, 1) as numbers of [low, high)."""
    return low + uniforms * (high - low)
