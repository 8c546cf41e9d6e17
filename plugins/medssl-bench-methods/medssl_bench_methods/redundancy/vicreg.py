"""VICReg (Bardes et al. 2022): variance, invariance and covariance of the projections of two views."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges, in_float32
from medssl_bench_methods.heads import mlp


def vicreg_loss(
    first: Tensor, second: Tensor, *, invariance: float, variance: float, covariance: float
) -> tuple[Tensor, Tensor]:
    """Return the loss of eq. 6, and the variance term before its weight.

    Args:
        first: (B, d) projections of the first views.
        second: (B, d) projections of the second views, row by row of the same images.
        invariance: weight of the mean squared difference.
        variance: weight of the variance term.
        covariance: weight of the covariance term.

    Returns:
        The loss, and how far deviations fall below 1, in [0, 1]: near 1 all projections are the same.
    """
    with in_float32(first.device):
        first, second = first.float(), second.float()
        hinge = (_too_little_variance(first) + _too_little_variance(second)) / 2
        correlated = _covariance(first) + _covariance(second)
        loss = invariance * F.mse_loss(first, second) + variance * hinge + covariance * correlated
    return loss, hinge.detach()


def _too_little_variance(projections: Tensor) -> Tensor:
    """Return the mean over components of what their deviation lacks to 1."""
    deviation = torch.sqrt(projections.var(dim=0) + 1e-4)  # the paper's epsilon
    return F.relu(1 - deviation).mean()


def _covariance(projections: Tensor) -> Tensor:
    """Return the sum of squared covariances of different components, divided by their number."""
    centered = projections - projections.mean(dim=0)
    covariances = centered.T @ centered / (len(centered) - 1)
    own = covariances.diagonal().square().sum()
    return (covariances.square().sum() - own) / len(covariances)


class VICReg(Method):
    """An encoder, a projection head and the loss.

    Args:
        encoder: images to features.
        hidden: width of the head's hidden layers.
        projection: length of the projections.
        invariance: weight of the views' difference.
        variance: weight of the variance term.
        covariance: weight of the covariance term.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True

    def __init__(
        self,
        encoder: nn.Module,
        *,
        hidden: int,
        projection: int,
        invariance: float,
        variance: float,
        covariance: float,
    ) -> None:
        super().__init__(encoder)
        self.head = mlp([feature_dim(encoder), hidden, hidden, projection])
        self.weights = {"invariance": invariance, "variance": variance, "covariance": covariance}

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the variance that is missing, and the gauges."""
        first, second = (self.head(self.encoder(view)) for view in batch.views)
        loss, hinge = vicreg_loss(first, second, **self.weights)
        return loss, {"missing_variance": hinge, **gauges(first, second, training=self.training)}
