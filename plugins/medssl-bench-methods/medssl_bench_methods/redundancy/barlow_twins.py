"""Barlow Twins (Zbontar et al. 2021): redundancy reduction between the components of two views' projections."""

from __future__ import annotations

from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges, in_float32
from medssl_bench_methods.heads import mlp


def barlow_twins_loss(first: Tensor, second: Tensor, redundancy: float) -> Tensor:
    """Return the loss of eq. 1, divided by the number of components.

    Args:
        first: (B, d) projections of the first views.
        second: (B, d) projections of the second views, row by row of the same images.
        redundancy: weight of the components' likeness, the paper's lambda.
    """
    with in_float32(first.device):
        correlation = _standardized(first).T @ _standardized(second) / len(first)
        diagonal = correlation.diagonal()
        others = correlation.square().sum() - diagonal.square().sum()
        return ((1 - diagonal).square().sum() + redundancy * others) / len(diagonal)


def _standardized(projections: Tensor) -> Tensor:
    """Return components with mean 0 and deviation 1 over the batch."""
    return F.batch_norm(projections.float(), None, None, training=True)


class BarlowTwins(Method):
    """An encoder, a projection head and the loss.

    Args:
        encoder: images to features.
        hidden: width of the head's hidden layers.
        projection: length of the projections.
        redundancy: weight of the components' likeness.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True

    def __init__(self, encoder: nn.Module, *, hidden: int, projection: int, redundancy: float) -> None:
        super().__init__(encoder)
        self.head = mlp([feature_dim(encoder), hidden, hidden, projection])
        self.redundancy = redundancy

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss and the gauges."""
        first, second = (self.head(self.encoder(view)) for view in batch.views)
        loss = barlow_twins_loss(first, second, self.redundancy)
        return loss, gauges(first, second, training=self.training)
