"""SimCLR (Chen et al. 2020): two views of an image attract each other and repel those of all other images."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods.base import Batch, Method, Progress, View
from medssl_bench.methods.collapse import gauges
from medssl_bench.methods.ntxent import contrastive_accuracy, nt_xent
from medssl_bench.methods.precision import in_float32


class SimCLR(Method):
    """An encoder, a projection head and NT-Xent.

    Args:
        encoder: images to features (B, D).
        hidden: width of the head's hidden layer.
        projection: length of the projections.
        temperature: of NT-Xent.
        loss: ``nt_xent`` is this project's, ``lightly`` calls lightly's ``NTXentLoss``; the values are equal.
    """

    monitor: ClassVar[str | None] = "top5"

    def __init__(
        self,
        encoder: nn.Module,
        *,
        hidden: int,
        projection: int,
        temperature: float,
        loss: Literal["nt_xent", "lightly"],
    ) -> None:
        super().__init__(encoder)
        self.head = nn.Sequential(nn.Linear(feature_dim(encoder), hidden), nn.ReLU(), nn.Linear(hidden, projection))
        self.temperature = temperature
        self.lightly_loss: nn.Module | None = None
        self.recordable = loss == "nt_xent"  # lightly's indexes by a mask
        if loss == "lightly":
            from lightly.loss import NTXentLoss

            self.lightly_loss = NTXentLoss(temperature=temperature)

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return NT-Xent, how often the positive is the nearest, or among the five nearest, and gauges of collapse."""
        projections = self.head(self.encoder(torch.cat(batch.views)))
        first, second = projections.float().chunk(2)
        loss, logits = nt_xent(first, second, self.temperature)
        if self.lightly_loss is not None:
            with in_float32(first.device):  # as ours
                loss = self.lightly_loss(first, second)
        logits = logits.detach()
        found = {"top1": contrastive_accuracy(logits, 1), "top5": contrastive_accuracy(logits, 5)}
        return loss, {**found, **gauges(first, training=self.training)}
