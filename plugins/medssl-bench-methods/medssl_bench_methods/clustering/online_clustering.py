"""Online clustering after Ghesu et al. (2022): swapped codes of two views, for sets of one or of several modalities."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges
from medssl_bench_methods.clustering.prototypes import Prototypes
from medssl_bench_methods.clustering.swav import swav_loss
from medssl_bench_methods.ema import average_of, move
from medssl_bench_methods.heads import mlp
from medssl_bench_methods.sinkhorn import sinkhorn
from medssl_bench_methods.use import used

Balance = Literal["batch", "modality", "none"]


class OnlineClustering(Method):
    """An encoder, a projection head and prototypes.

    Args:
        encoder: images to features.
        hidden: width of the head's hidden layer.
        projection: length of the projections.
        prototypes: number of prototypes K.
        temperature: of the predictions.
        epsilon: of the codes.
        iterations: of Sinkhorn-Knopp.
        balance: what codes are balanced over.
        modalities: number of groups of the images; used if codes are balanced over each of them.
        momentum: of the moving average that gives codes which are not balanced.
        frozen: part of the training in which the prototypes stay as they are.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True

    def __init__(
        self,
        encoder: nn.Module,
        *,
        hidden: int,
        projection: int,
        prototypes: int,
        temperature: float,
        epsilon: float,
        iterations: int,
        balance: Balance,
        modalities: int,
        momentum: float,
        frozen: float,
    ) -> None:
        super().__init__(encoder)
        self.head = mlp([feature_dim(encoder), hidden, projection])
        self.prototypes = Prototypes(projection, prototypes, frozen=frozen)
        self.temperature, self.epsilon, self.iterations = temperature, epsilon, iterations
        self.balance, self.modalities, self.momentum = balance, modalities, momentum
        if balance == "none":
            self.average = average_of(nn.ModuleList([encoder, self.head, self.prototypes]))
            self.discarded = ("average",)

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the gauges, and the share of the prototypes that images choose."""
        both = torch.cat(batch.views)
        projections = self.head(self.encoder(both)).float()
        scores = self.prototypes(F.normalize(projections, dim=1))
        first, second = projections.chunk(2)
        codes = self._codes(both, scores.detach(), batch.group)
        loss = swav_loss(torch.stack(scores.chunk(2)), torch.stack(codes.chunk(2)), self.temperature)
        found = gauges(first, second, training=self.training)
        return loss, found | {"used": used(scores[: len(first)].detach())}

    @torch.no_grad()
    def _codes(self, both: Tensor, scores: Tensor, group: Tensor | None) -> Tensor:
        """Return the codes of both views, (2 B, K)."""
        if self.balance == "none":
            encoder, head, prototypes = self.average
            projections = F.normalize(head(encoder(both)).float(), dim=1)
            return F.softmax(prototypes(projections) / self.epsilon, dim=1)
        groups, count = None, 1
        if self.balance == "modality":
            assert group is not None  # the factory has asked for groups
            groups, count = numbered(group).clamp(max=self.modalities - 1), self.modalities
        balanced = partial(sinkhorn, epsilon=self.epsilon, iterations=self.iterations, groups=groups, count=count)
        return torch.cat([balanced(view) for view in scores.chunk(2)])

    def after_step(self, progress: Progress) -> None:
        """Move the average, and let prototypes move from the next step on, if their time has come."""
        self.prototypes.after_step(progress)
        if self.balance == "none":
            move([self.average], [self.encoder, self.head, self.prototypes], self.momentum)


def numbered(group: Tensor) -> Tensor:
    """Return groups with the numbers 0, 1, ... in the order in which they come; nothing is read back.

    Args:
        group: (B,) integers, of any values.

    Returns:
        (B,) int64.
    """
    same = group[:, None] == group
    earliest = same.int().argmax(dim=1)  # the first image of each one's group
    begins = earliest == torch.arange(len(group), device=group.device)
    return (begins.cumsum(dim=0) - 1)[earliest]
