"""MoCo (He et al. 2020): a momentum encoder makes the keys of a queue, and each query must find its own key."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Progress, View, gauges, in_float32
from medssl_bench_methods.heads import mlp
from medssl_bench_methods.queue import Queue
from medssl_bench_methods.student_teacher import StudentTeacher


def queue_loss(query: Tensor, key: Tensor, older: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Return the loss of eq. 1, and how often the own key is nearer than every older one.

    Args:
        query: (B, d) of length 1.
        key: (B, d) of length 1, row by row of the same images.
        older: (Q, d) of length 1, the keys of other images.
        temperature: what similarities are divided by.
    """
    with in_float32(query.device):
        own = (query * key).sum(dim=1, keepdim=True)
        others = query @ older.T
        logits = torch.cat([own, others], dim=1) / temperature
        first = torch.zeros(len(logits), dtype=torch.int64, device=logits.device)
        return F.cross_entropy(logits, first), (others.detach() < own.detach()).all(dim=1).float().mean()


class MoCo(StudentTeacher):
    """An encoder, a head, the moving averages of both, and a queue.

    Args:
        encoder: images to features.
        hidden: width of the head's hidden layer; None: a linear head.
        projection: length of the projections.
        queue: number of older keys.
        momentum: of the moving averages.
        temperature: what similarities are divided by.
        symmetric: whether each view is both query and key.
        parts: parts of a shuffled batch in which keys are made; 0: the whole batch.
        batch: images of a training batch.

    Raises:
        StageError: a part has fewer than two images.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True
    discarded = (*StudentTeacher.discarded, "queue")

    def __init__(
        self,
        encoder: nn.Module,
        *,
        hidden: int | None,
        projection: int,
        queue: int,
        momentum: float,
        temperature: float,
        symmetric: bool,
        parts: int,
        batch: int,
    ) -> None:
        if 2 * parts > batch:
            raise StageError(f"moco: shuffle = {parts} leaves parts of fewer than two of the {batch} images of a batch")
        dim = feature_dim(encoder)
        head = nn.Linear(dim, projection) if hidden is None else mlp([dim, hidden, projection], normalized=False)
        super().__init__(encoder, head, momentum=momentum)
        self.queue = Queue(queue, projection)
        self.temperature, self.symmetric, self.parts = temperature, symmetric, parts

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, how often the own key is the nearest, and the gauges."""
        first, second = batch.views
        queries, keys, index = self._queries(first), self._keys(second), batch.index
        seen = gauges(queries, keys, training=self.training)
        if self.symmetric:
            queries = torch.cat([queries, self._queries(second)])
            keys = torch.cat([keys, self._keys(first)])
            index = torch.cat([index, index])
        loss, found = queue_loss(queries, keys, self.queue.now(), self.temperature)
        if self.training:
            self.queue.add(keys, index)
        return loss, {"top1": found, **seen}

    def _queries(self, images: Tensor) -> Tensor:
        return F.normalize(self.head(self.student(images)).float(), dim=1)

    @torch.no_grad()
    def _keys(self, images: Tensor) -> Tensor:
        """Return (B, d) keys; the batch is shuffled, made in parts, and put in order again if that is wanted."""
        if not (self.parts and self.training):
            return F.normalize(self.teacher_head(self.teacher(images)).float(), dim=1)
        order = torch.rand(len(images), device=images.device).argsort()
        shuffled = images[order].tensor_split(self.parts)
        keys = torch.cat([self.teacher_head(self.teacher(part)).float() for part in shuffled])
        return F.normalize(keys[order.argsort()], dim=1)
