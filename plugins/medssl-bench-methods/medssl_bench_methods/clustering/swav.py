"""SwAV (Caron et al. 2020): the code of one view, balanced over the batch, is predicted from another view."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges, in_float32
from medssl_bench_methods.clustering.prototypes import Prototypes
from medssl_bench_methods.heads import mlp
from medssl_bench_methods.multicrop import features_of, swapped_cross_entropy
from medssl_bench_methods.queue import Queue
from medssl_bench_methods.sinkhorn import sinkhorn
from medssl_bench_methods.use import used


def swav_loss(scores: Tensor, codes: Tensor, temperature: float) -> Tensor:
    """Return the swapped prediction of eq. 1 and 2, the mean over pairs of a coded view and another one.

    Args:
        scores: (V, B, K) of all views, the coded ones first.
        codes: (W, B, K) of the coded views; each row sums to 1.
        temperature: scores are divided by it.
    """
    with in_float32(scores.device):
        return swapped_cross_entropy(codes, F.log_softmax(scores.float() / temperature, dim=2))


class SwAV(Method):
    """An encoder, a projection head and prototypes; a queue of earlier projections helps to balance small batches.

    Args:
        encoder: images to features.
        views: two large ones, then small ones.
        hidden: width of the head's hidden layer.
        projection: length of the projections.
        prototypes: number of prototypes K.
        temperature: of the predictions.
        epsilon: of the codes.
        iterations: of Sinkhorn-Knopp.
        queue: number of projections that are kept of each large view; 0: none.
        queue_from: part of the training after which they count.
        frozen: part of the training in which the prototypes stay as they are.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True
    counts: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        views: Sequence[View],
        *,
        hidden: int,
        projection: int,
        prototypes: int,
        temperature: float,
        epsilon: float,
        iterations: int,
        queue: int,
        queue_from: float,
        frozen: float,
    ) -> None:
        super().__init__(encoder)
        self._views = tuple(views)
        self.head = mlp([feature_dim(encoder), hidden, projection])
        self.prototypes = Prototypes(projection, prototypes, frozen=frozen)
        self.temperature, self.epsilon, self.iterations = temperature, epsilon, iterations
        self.queue_from = queue_from
        if queue:
            self.queues = nn.ModuleList(Queue(queue, projection) for _ in range(2))
            self.register_buffer("counts", torch.tensor(queue_from <= 0))
            self.discarded = ("queues", "counts")
        self.has_queue = queue > 0

    def views(self) -> tuple[View, ...]:
        """Return two large views and the small ones."""
        return self._views

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the gauges, and the share of the prototypes that images choose."""
        projections = self.head(features_of(self.encoder, batch.views)).float()
        unit = F.normalize(projections, dim=1).view(len(batch.views), len(batch.image), -1)
        scores = self.prototypes(unit.flatten(0, 1)).view(*unit.shape[:2], -1)
        codes = torch.stack([self._codes(place, scores[place].detach()) for place in range(2)])
        if self.training and self.has_queue:
            for place in range(2):
                self._queue(place).add(unit[place], batch.index)
        found = gauges(unit[0], unit[1], training=self.training) | {"used": used(scores[0].detach())}
        return swav_loss(scores, codes, self.temperature), found

    def _codes(self, place: int, scores: Tensor) -> Tensor:
        """Return the codes of a large view, balanced with the projections of the queue if they count."""
        balanced = partial(sinkhorn, epsilon=self.epsilon, iterations=self.iterations)
        if not self.has_queue:
            return balanced(scores)
        queue = self._queue(place)
        earlier = self.prototypes.of_earlier(queue.vectors)
        # what is not to count is balanced by itself, so that shapes stay the same from step to step
        ignored = ~self.counts | (queue.index < 0)
        groups = torch.cat([torch.zeros(len(scores), dtype=torch.int64, device=scores.device), ignored.long()])
        return balanced(torch.cat([scores, earlier]), groups=groups, count=2)[: len(scores)]

    def _queue(self, place: int) -> Queue:
        queue = self.queues[place]
        assert isinstance(queue, Queue)
        return queue

    def after_step(self, progress: Progress) -> None:
        """Let prototypes move and the queue count from the next step on, if their time has come."""
        self.prototypes.after_step(progress)
        if self.has_queue:
            self.counts.fill_(progress.step + 1 >= self.queue_from * progress.total)
