"""Instance discrimination (Wu et al. 2018): a memory of every image is the classifier of images."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Method, Progress, View, gauges, in_float32


def memory_loss(vectors: Tensor, memory: Tensor, index: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Return the loss of eq. 2 over the whole memory, and how often the own entry is the nearest.

    Args:
        vectors: (B, d) of length 1.
        memory: (N, d) of length 1.
        index: (B,) int64, the entry of each vector's image.
        temperature: what similarities are divided by.
    """
    with in_float32(vectors.device):
        logits = vectors @ memory.T / temperature
        seen = logits.detach()
        nearer = (~(seen < seen.gather(1, index[:, None]))).sum(dim=1) - 1  # the own entry itself
        return F.cross_entropy(logits, index), (nearer < 1).float().mean()


def drawn_loss(vectors: Tensor, own: Tensor, drawn: Tensor, is_own: Tensor, others: int, temperature: float) -> Tensor:
    """Return the loss of eq. 2, whose sum over other images is estimated from some that are drawn.

    Args:
        vectors: (B, d) of length 1.
        own: (B, d) of length 1, the memory of their own images.
        drawn: (M, d) of length 1, the memory of images that were drawn, each as likely as any other.
        is_own: (B, M) whether a drawn image is a vector's own; it is then left out.
        others: number of other images, N - 1, of which those that are left are a sample.
        temperature: what similarities are divided by.
    """
    with in_float32(vectors.device):
        positive = (vectors * own).sum(dim=1, keepdim=True) / temperature
        left = (~is_own).sum(dim=1, keepdim=True).clamp(min=1)
        negative = vectors @ drawn.T / temperature + math.log(others) - left.log()
        logits = torch.cat([positive, negative.masked_fill(is_own, -torch.inf)], dim=1)
        return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device))


class InstDisc(Method):
    """An encoder, a linear head and a memory of all images.

    Attributes:
        memory: (N, d) unit vectors, at first random.

    Args:
        encoder: images to features.
        images: number of training images N.
        projection: length d of the projections.
        temperature: what similarities are divided by.
        momentum: of the memory.
        negatives: other images drawn in a step; None: all are used.
        proximal: weight of the squared distance to the memory.
    """

    recordable = True
    discarded = ("memory",)
    memory: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        *,
        images: int,
        projection: int,
        temperature: float,
        momentum: float,
        negatives: int | None,
        proximal: float,
    ) -> None:
        super().__init__(encoder)
        self.head = nn.Linear(feature_dim(encoder), projection)
        self.register_buffer("memory", F.normalize(torch.randn(images, projection), dim=1))
        self.temperature, self.momentum = temperature, momentum
        self.negatives, self.proximal = negatives, proximal

    def views(self) -> tuple[View]:
        """Return one view of the recipe's augmentation."""
        return (View(),)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss and the gauges; in training how often the own entry is the nearest of all, too."""
        vectors = F.normalize(self.head(self.encoder(batch.views[0])).float(), dim=1)
        metrics = gauges(vectors, training=self.training)
        if not self.training:  # the memory has no entry of these images: they are compared with each other
            itself = torch.arange(len(vectors), device=vectors.device)
            return memory_loss(vectors, vectors, itself, self.temperature)[0], metrics
        own = self.memory[batch.index]
        if self.negatives is None:  # a copy: the memory changes before the gradient is taken
            loss, metrics["top1"] = memory_loss(vectors, self.memory.clone(), batch.index, self.temperature)
        else:
            loss = self._estimated(vectors, own, batch.index, self.negatives)
        if self.proximal:
            loss = loss + self.proximal * (vectors - own).square().sum(dim=1).mean()
        self._remember(own, vectors.detach(), batch.index)
        return loss, metrics

    def _estimated(self, vectors: Tensor, own: Tensor, index: Tensor, negatives: int) -> Tensor:
        places = torch.randint(len(self.memory), (negatives,), device=vectors.device)
        is_own = index[:, None] == places
        return drawn_loss(vectors, own, self.memory[places], is_own, len(self.memory) - 1, self.temperature)

    @torch.no_grad()
    def _remember(self, own: Tensor, vectors: Tensor, index: Tensor) -> None:
        moved = self.momentum * own + (1 - self.momentum) * vectors
        self.memory.index_copy_(0, index, F.normalize(moved, dim=1))
