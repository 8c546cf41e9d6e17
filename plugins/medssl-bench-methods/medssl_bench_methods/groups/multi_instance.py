"""MICLe (Azizi et al. 2021): contrastive learning of several images of one patient."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Method, MethodContext, Progress, View, gauges
from medssl_bench.methods.ntxent import contrastive_accuracy, nt_xent


def require_groups(context: MethodContext) -> None:
    """Refuse a data set without groups.

    Raises:
        StageError: it has none.
    """
    if context.groups is None:
        raise StageError("MICLe compares images of one group (a patient, say), and the data set has no groups")


class MICLe(Method):
    """An encoder, a projection head, and NT-Xent of images of one group.

    Args:
        encoder: images to features.
        temperature: of the loss.
        hidden: width of the head's hidden layer.
        projection: length of the projections.
        same_group: whether other images of the same group are negatives.
    """

    monitor: ClassVar[str | None] = "top1"
    recordable = True

    def __init__(
        self, encoder: nn.Module, *, temperature: float, hidden: int, projection: int, same_group: bool
    ) -> None:
        super().__init__(encoder)
        self.head = nn.Sequential(nn.Linear(feature_dim(encoder), hidden), nn.ReLU(), nn.Linear(hidden, projection))
        self.temperature = temperature
        self.same_group = same_group

    def views(self) -> tuple[View, View]:
        """Return a view of the image, and one of its partner."""
        return View(), View(of="partner")

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, how often the partner is the nearest of all candidates, and the gauges."""
        first, second = self.head(self.encoder(torch.cat(batch.views))).chunk(2)
        loss, logits = nt_xent(first, second, self.temperature, None if self.same_group else batch.group)
        found = gauges(first, second, training=self.training)
        return loss, {"top1": contrastive_accuracy(logits.detach(), 1), **found}
