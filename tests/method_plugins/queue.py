"""MoCo (He et al. 2020) with v2's head (Chen et al. 2020): a momentum encoder and a queue of its keys.

The shuffling of batch normalisation between devices is left out: there is one device.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Annotated, ClassVar

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from medssl_bench import hookimpl
from medssl_bench.methods import Batch, Method, MethodContext, Progress, View, in_float32


@hookimpl
def medssl_methods(register):
    register("moco", moco)


def moco(
    encoder: nn.Module,
    context: MethodContext,
    *,
    keys: Annotated[int, Field(ge=1)] = 4096,
    momentum: Annotated[float, Field(ge=0, le=1)] = 0.99,
    temperature: Annotated[float, Field(gt=0)] = 0.2,
    projection: Annotated[int, Field(ge=1)] = 128,
) -> Method:
    """MoCo: a view's projection must find the momentum encoder's key of the other view among a queue of older keys.

    Args:
        keys: length of the queue.
        momentum: of the key encoder; 1 never changes it, 0 makes it a copy.
        temperature: what similarities are divided by.
        projection: length of the projections.
    """
    return MoCo(encoder, keys, momentum, temperature, projection)


class MoCo(Method):
    monitor: ClassVar[str | None] = "top1"

    def __init__(self, encoder: nn.Module, keys: int, momentum: float, temperature: float, projection: int) -> None:
        super().__init__(encoder)
        self.recordable = True
        self.head = nn.Sequential(nn.Linear(encoder.dim, encoder.dim), nn.ReLU(), nn.Linear(encoder.dim, projection))
        self.key_encoder = deepcopy(encoder).requires_grad_(requires_grad=False)
        self.key_head = deepcopy(self.head).requires_grad_(requires_grad=False)
        self.register_buffer("queue", F.normalize(torch.randn(keys, projection), dim=1))
        self.register_buffer("oldest", torch.zeros((), dtype=torch.int64))
        self.momentum, self.temperature = momentum, temperature

    def views(self) -> tuple[View, View]:
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        query = F.normalize(self.head(self.encoder(batch.views[0])).float(), dim=1)
        with torch.no_grad():
            key = F.normalize(self.key_head(self.key_encoder(batch.views[1])).float(), dim=1)
        with in_float32(query.device):
            negatives = query @ self.queue.clone().T  # a copy: the queue changes before the gradient is taken
        logits = torch.cat([(query * key).sum(dim=1, keepdim=True), negatives], dim=1) / self.temperature
        if self.training:
            self._enqueue(key)
        found = logits.detach()
        top1 = (found[:, 1:] <= found[:, :1]).all(dim=1).float().mean()
        return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.int64, device=logits.device)), {
            "top1": top1
        }

    def after_step(self, progress: Progress) -> None:
        with torch.no_grad():
            for kept, trained in ((self.key_encoder, self.encoder), (self.key_head, self.head)):
                for average, current in zip(kept.parameters(), trained.parameters(), strict=True):
                    average.lerp_(current, 1 - self.momentum)

    def _enqueue(self, key: Tensor) -> None:
        """Put keys in place of the oldest, around the end of the queue."""
        newest = key[-len(self.queue) :]
        places = (self.oldest + torch.arange(len(newest), device=key.device)) % len(self.queue)
        self.queue[places] = newest
        self.oldest.add_(len(newest)).remainder_(len(self.queue))
