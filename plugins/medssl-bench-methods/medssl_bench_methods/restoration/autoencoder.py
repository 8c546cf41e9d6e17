"""Masked autoencoders (He et al. 2022): a ViT sees a few patches of an image, a small decoder draws the others."""

from __future__ import annotations

from typing import ClassVar

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Method, Progress, View, gauges, in_float32
from medssl_bench_methods.decoder import explained
from medssl_bench_methods.patches import patchify, sine_positions

_HEAD = 32
"""Length of one attention head of the decoder, as the paper's 512 in 16 heads."""


def mae_targets(images: Tensor, rows: int, epsilon: float | None) -> Tensor:
    """Return what is to be drawn of each patch, (B, N, p * p * C) float32.

    Args:
        images: (B, C, H, H) in [0, 1].
        rows: patches along each axis.
        epsilon: added to the variance by which the pixels of each patch are normalised; None: they are not.
    """
    pixels = patchify(images.float(), rows)
    if epsilon is None:
        return pixels
    mean, variance = pixels.mean(dim=2, keepdim=True), pixels.var(dim=2, keepdim=True)
    return (pixels - mean) / (variance + epsilon).sqrt()


def mae_loss(drawn: Tensor, targets: Tensor, hidden: Tensor) -> Tensor:
    """Return the mean squared difference of hidden patches.

    Args:
        drawn: (B, N, P).
        targets: (B, N, P).
        hidden: (B, N) bool, which patches are hidden.
    """
    with in_float32(drawn.device):
        difference = (drawn.float() - targets.float()).square().mean(dim=2)
        return (difference * hidden).sum() / hidden.sum()


class MAE(Method):
    """A ViT, and a decoder of a few narrow blocks.

    Args:
        encoder: a ViT: it has ``tokens(images, keep)``, ``grid``, ``prefix_tokens`` and ``pooled(tokens)``.
        size: side of the views in pixels.
        masked: part of the patches that is hidden.
        width: of the decoder's tokens, a multiple of 32.
        depth: number of the decoder's blocks.
        epsilon: see `mae_targets`.

    Raises:
        StageError: the encoder has no tokens, or all or none of its patches would be hidden.
    """

    monitor: ClassVar[str | None] = "explained"
    recordable = True
    positions: Tensor

    def __init__(
        self, encoder: nn.Module, *, size: int, masked: float, width: int, depth: int, epsilon: float | None
    ) -> None:
        super().__init__(encoder)
        if not hasattr(encoder, "tokens"):
            raise StageError(f"mae hides tokens, which {type(encoder).__name__} has not: take a ViT, such as vit_tiny")
        self.rows, columns = encoder.grid  # type: ignore[misc]
        if self.rows != columns:
            raise StageError(f"mae needs as many rows of patches as columns, not {self.rows} and {columns}")
        patches = self.rows**2
        self.kept = patches - round(masked * patches)
        if not 0 < self.kept < patches:
            raise StageError(f"masked = {masked:g} of {patches} patches hides all or none of them")
        self.epsilon = epsilon
        self.first = nn.Linear(feature_dim(encoder), width)
        self.hidden_token = nn.Parameter(0.02 * torch.randn(width))
        self.blocks = nn.Sequential(*(Block(width, width // _HEAD, qkv_bias=True) for _ in range(depth)))
        self.last = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 3 * (size // self.rows) ** 2))
        self.register_buffer("positions", sine_positions(self.rows, width), persistent=False)

    def views(self) -> tuple[View]:
        """Return one view with the geometry alone, as the paper has crops and flips only."""
        return (View(intensity=False),)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the share of the hidden patches that is right, and the gauges."""
        (view,) = batch.views
        order = torch.rand(len(view), self.rows**2, device=view.device).argsort(dim=1)
        keep = order[:, : self.kept]
        hidden = torch.ones_like(order, dtype=torch.bool).scatter(1, keep, value=False)
        tokens: Tensor = self.encoder.tokens(view, keep)  # type: ignore[operator]
        drawn = self.drawn(tokens, keep)
        targets = mae_targets(view, self.rows, self.epsilon)
        share = explained(drawn[:, None], targets[:, None], hidden[:, None, :, None])
        features: Tensor = self.encoder.pooled(tokens)  # type: ignore[operator]
        metrics = {"explained": share, **gauges(features, training=self.training)}
        return mae_loss(drawn, targets, hidden), metrics

    def drawn(self, tokens: Tensor, keep: Tensor) -> Tensor:
        """Return what the decoder draws of every patch, (B, N, p * p * 3) float32.

        Args:
            tokens: (B, prefix + K, D) of the patches that were seen.
            keep: (B, K) int64, their places.
        """
        given = self.first(tokens).float()  # the hidden token and the positions are not to be rounded
        prefix = given.shape[1] - keep.shape[1]
        count, width = len(given), given.shape[2]
        everywhere = self.hidden_token.expand(count, self.rows**2, width)
        patches = everywhere.scatter(1, keep[..., None].expand(-1, -1, width), given[:, prefix:])
        found = torch.cat([given[:, :prefix], patches + self.positions], dim=1)
        drawn: Tensor = self.last(self.blocks(found))[:, prefix:].float()
        return drawn
