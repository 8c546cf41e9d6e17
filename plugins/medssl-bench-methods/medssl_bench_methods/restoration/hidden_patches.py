"""Masked images for any encoder, in the way of SimMIM (Xie et al. 2022): what do the hidden patches hold?"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges, in_float32
from medssl_bench_methods.decoder import explained


def draw_mask(count: int, size: int, patch: int, masked: float, device: torch.device) -> Tensor:
    """Return which pixels are hidden, (count, 1, size, size) bool: of every image the same number of patches.

    Args:
        count: number of images.
        size: their side in pixels.
        patch: side of a patch in pixels, which divides `size`.
        masked: part of the patches that is hidden, rounded to whole patches, one at least.
        device: where to.
    """
    side = size // patch
    ranks = torch.rand(count, side * side, device=device).argsort(dim=1).argsort(dim=1)
    hidden = (ranks < max(round(masked * side * side), 1)).view(count, 1, side, side)
    return hidden.repeat_interleave(patch, dim=2).repeat_interleave(patch, dim=3)


def masked_loss(drawn: Tensor, images: Tensor, mask: Tensor) -> Tensor:
    """Return the mean absolute difference of hidden pixels.

    Args:
        drawn: (B, C, H, W).
        images: (B, C, H, W).
        mask: (B, 1, H, W) bool, what is hidden.
    """
    with in_float32(images.device):
        difference = (drawn.float() - images.float()).abs() * mask
        return difference.sum() / (images.shape[1] * mask.sum())


class Masked(Method):
    """An encoder of images with hidden patches, and a linear layer from its features to the image.

    Args:
        encoder: images to features.
        size: side of the views in pixels.
        patch: side of a patch in pixels.
        masked: part of the patches that is hidden.
    """

    monitor: ClassVar[str | None] = "explained"
    recordable = True

    def __init__(self, encoder: nn.Module, *, size: int, patch: int, masked: float) -> None:
        super().__init__(encoder)
        self.size, self.patch, self.masked = size, patch, masked
        self.decoder = nn.Linear(feature_dim(encoder), 3 * size * size)
        nn.init.constant_(self.decoder.bias, 0.5)  # it begins with grey, not with black
        self.mask_value = nn.Parameter(torch.full((3, 1, 1), 0.5))

    def views(self) -> tuple[View]:
        """Return one view with the geometry alone: its intensities are what is to be predicted."""
        return (View(intensity=False),)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the share of the hidden pixels that is right, and the gauges."""
        (view,) = batch.views
        mask = draw_mask(len(view), self.size, self.patch, self.masked, view.device)
        features = self.encoder(torch.where(mask, self.mask_value, view))
        drawn = self.decoder(features).float().view(-1, 3, self.size, self.size)
        metrics = {"explained": explained(drawn, view.float(), mask)}
        return masked_loss(drawn, view, mask), {**metrics, **gauges(features, training=self.training)}
