"""MICLe (Azizi et al. 2021): contrastive learning of several images of one patient."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Method, MethodContext, Progress, View, gauges, in_float32
from medssl_bench.methods.ntxent import contrastive_accuracy, positives


def require_groups(context: MethodContext) -> None:
    """Refuse a data set without groups.

    Raises:
        StageError: it has none.
    """
    if context.groups is None:
        raise StageError("MICLe compares images of one group (a patient, say), and the data set has no groups")


def grouped_nt_xent(
    first: Tensor, second: Tensor, group: Tensor, temperature: float, *, same_group: bool
) -> tuple[Tensor, Tensor]:
    """Return NT-Xent in which other images of the same group are no negatives, and its logits.

    Args:
        first: (N, D) projections of images, not normalised.
        second: (N, D) projections of their partners, row by row.
        group: (N,) which images belong together.
        temperature: what the cosine similarities are divided by.
        same_group: whether they are negatives nevertheless.

    Returns:
        The mean loss, a scalar, and the logits (2N, 2N), -inf where a column is no candidate.
    """
    with in_float32(first.device):
        projections = F.normalize(torch.cat([first, second]).float(), dim=1)
        logits = projections @ projections.T / temperature
        left_out = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        positive = positives(logits)
        if not same_group:
            whose = group.repeat(2)
            together = whose[:, None] == whose[None, :]
            is_positive = positive[:, None] == torch.arange(len(logits), device=logits.device)[None, :]
            left_out = left_out | (together & ~is_positive)
        logits = logits.masked_fill(left_out, float("-inf"))
        return F.cross_entropy(logits, positive), logits


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
        group = batch.index if batch.group is None else batch.group  # validation images may have none
        loss, logits = grouped_nt_xent(first, second, group, self.temperature, same_group=self.same_group)
        found = gauges(first, second, training=self.training)
        return loss, {"top1": contrastive_accuracy(logits.detach(), 1), **found}
