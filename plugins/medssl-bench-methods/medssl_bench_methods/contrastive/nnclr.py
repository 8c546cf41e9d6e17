"""NNCLR (Dwibedi et al. 2021): the positive of a view is the nearest of older projections."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges, in_float32
from medssl_bench_methods.contrastive.infonce import info_nce
from medssl_bench_methods.heads import mlp
from medssl_bench_methods.queue import Queue


@torch.no_grad()
def nearest(vectors: Tensor, support: Tensor) -> Tensor:
    """Return the place of the nearest support vector of each vector, by cosine, (B,) int64.

    Args:
        vectors: (B, d) of length 1.
        support: (Q, d) of length 1.
    """
    with in_float32(vectors.device):
        return (vectors @ support.T).argmax(dim=1)


class NNCLR(Method):
    """An encoder, a projection head, a predictor and the queue in which neighbours are looked for.

    Args:
        encoder: images to features.
        hidden: width of the hidden layers.
        projection: length of the projections.
        queue: number of older projections.
        temperature: what similarities are divided by.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True
    discarded = ("queue",)

    def __init__(self, encoder: nn.Module, *, hidden: int, projection: int, queue: int, temperature: float) -> None:
        super().__init__(encoder)
        self.head = mlp([feature_dim(encoder), hidden, hidden, projection], last_normalized=True)
        self.predictor = mlp([projection, hidden, projection])
        self.queue = Queue(queue, projection)
        self.temperature = temperature

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, how often a neighbour is of the same image (in training), and the gauges."""
        projected = [self.head(self.encoder(view)) for view in batch.views]
        predicted = [F.normalize(self.predictor(each).float(), dim=1) for each in projected]
        first, second = (F.normalize(each.float(), dim=1).detach() for each in projected)
        support = self.queue.now()
        of_first, of_second = nearest(first, support), nearest(second, support)
        forward = info_nce(support[of_first], predicted[1], self.temperature)
        backward = info_nce(support[of_second], predicted[0], self.temperature)
        metrics = gauges(first, second, training=self.training)
        if self.training:  # the places of validation images are others
            metrics["own_neighbour"] = (self.queue.index[of_first] == batch.index).float().mean()
            self.queue.add(first, batch.index)
        return (forward + backward) / 2, metrics
