"""Mirror images, left to right or top to bottom."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from medssl_bench.augmentations.op import Op


class HorizontalFlip(Op):
    """Mirror left to right."""

    geometric: ClassVar[bool] = True

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Return (B, C, H, W) images with their columns reversed."""
        return images.flip(-1)


class VerticalFlip(Op):
    """Mirror top to bottom."""

    geometric: ClassVar[bool] = True

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:  # noqa: ARG002
        """Return (B, C, H, W) images with their rows reversed."""
        return images.flip(-2)
