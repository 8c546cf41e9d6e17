"""SimCLRv2 (Chen et al. 2020): NT-Xent with the rest of a deep head, and with older projections if that is wanted."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges, in_float32
from medssl_bench.methods.ntxent import nt_xent, positives
from medssl_bench_methods.heads import mlp
from medssl_bench_methods.queue import Queue
from medssl_bench_methods.student_teacher import StudentTeacher


def nt_xent_with(older: Tensor, first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return NT-Xent whose denominators have older projections, too.

    Args:
        older: (Q, d) of length 1.
        first: (B, d) projections of the first views, not normalised.
        second: (B, d) projections of the second views, row by row of the same images.
        temperature: what similarities are divided by.
    """
    with in_float32(first.device):
        _, within = nt_xent(first, second, temperature)
        projections = F.normalize(torch.cat([first, second]).float(), dim=1)
        logits = torch.cat([within, projections @ older.T / temperature], dim=1)
        return F.cross_entropy(logits, positives(within))


class SimCLR2(Method):
    """An encoder and the two layers that are left of a deep head.

    Args:
        encoder: images to features; ``headed`` has the head's first layer.
        hidden: width of the hidden layer.
        projection: length of the projections.
        temperature: what similarities are divided by.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True

    def __init__(self, encoder: nn.Module, *, hidden: int, projection: int, temperature: float) -> None:
        super().__init__(encoder)
        self.head = _head(encoder, hidden, projection)
        self.temperature = temperature

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return NT-Xent and the gauges."""
        first, second = self.head(self.encoder(torch.cat(batch.views))).float().chunk(2)
        loss, _ = nt_xent(first, second, self.temperature)
        return loss, gauges(first, second, training=self.training)


class SimCLR2WithQueue(StudentTeacher):
    """The same with a queue of projections by moving averages of encoder and head.

    Args:
        encoder: images to features; ``headed`` has the head's first layer.
        hidden: width of the hidden layer.
        projection: length of the projections.
        temperature: what similarities are divided by.
        queue: number of older projections.
        momentum: of the moving averages.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True
    discarded = (*StudentTeacher.discarded, "queue")

    def __init__(
        self, encoder: nn.Module, *, hidden: int, projection: int, temperature: float, queue: int, momentum: float
    ) -> None:
        super().__init__(encoder, _head(encoder, hidden, projection), momentum=momentum)
        self.queue = Queue(queue, projection)
        self.temperature = temperature

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return NT-Xent with the queue, and the gauges; the second views' averages go into the queue."""
        first, second = self.head(self.student(torch.cat(batch.views))).float().chunk(2)
        loss = nt_xent_with(self.queue.now(), first, second, self.temperature)
        if self.training:
            with torch.no_grad():
                keys = F.normalize(self.teacher_head(self.teacher(batch.views[1])).float(), dim=1)
            self.queue.add(keys, batch.index)
        return loss, gauges(first, second, training=self.training)


def _head(encoder: nn.Module, hidden: int, projection: int) -> nn.Sequential:
    return mlp([feature_dim(encoder), hidden, projection], last_normalized=True)
