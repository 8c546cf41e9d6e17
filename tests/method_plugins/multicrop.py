"""DINO (Caron et al. 2021): a student sees large and small crops, its moving average only the large ones."""

from __future__ import annotations

from copy import deepcopy
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from medssl_bench import hookimpl
from medssl_bench.methods import Batch, Method, MethodContext, Progress, View


@hookimpl
def medssl_methods(register):
    register("dino", dino)


def dino(
    encoder: nn.Module,
    context: MethodContext,
    *,
    local_views: Annotated[int, Field(ge=0)] = 4,
    prototypes: Annotated[int, Field(ge=2)] = 64,
    momentum: Annotated[float, Field(ge=0, le=1)] = 0.99,
    center_momentum: Annotated[float, Field(ge=0, le=1)] = 0.9,
) -> Method:
    """DINO: the student's output on every crop must match the teacher's on the other, large crops.

    Args:
        local_views: number of small crops, of half the size.
        prototypes: length of the output.
        momentum: of the teacher.
        center_momentum: of the centre that is taken off the teacher's output.
    """
    return Dino(encoder, context.size, local_views, prototypes, momentum, center_momentum)


class Dino(Method):
    student_temperature, teacher_temperature = 0.1, 0.04

    def __init__(
        self, encoder: nn.Module, size: int, local_views: int, prototypes: int, momentum: float, center_momentum: float
    ) -> None:
        super().__init__(encoder)
        self.recordable = True
        self.head = nn.Sequential(
            nn.Linear(encoder.dim, 64), nn.GELU(), weight_norm(nn.Linear(64, prototypes, bias=False))
        )
        self.teacher = deepcopy(nn.Sequential(encoder, self.head)).requires_grad_(requires_grad=False)
        self.register_buffer("center", torch.zeros(prototypes))
        self.size, self.local_views, self.momentum, self.center_momentum = size, local_views, momentum, center_momentum

    def views(self) -> list[View]:
        large = View(parameters={"crop_scale": [0.4, 1.0]})
        small = View(size=self.size // 2, parameters={"crop_scale": [0.05, 0.4]})
        return [large] * 2 + [small] * self.local_views

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        large, small = batch.views[:2], batch.views[2:]
        count = len(batch.image)
        features = [self.encoder(torch.cat(crops)) for crops in (large, small) if crops]
        student = F.log_softmax(self.head(torch.cat(features)).float() / self.student_temperature, dim=1).split(count)
        with torch.no_grad():
            logits = self.teacher(torch.cat(large)).float()
            wanted = F.softmax((logits - self.center) / self.teacher_temperature, dim=1).split(count)
        pairs = [(t, s) for t in range(2) for s in range(len(student)) if t != s]
        loss = torch.stack([-(wanted[t] * student[s]).sum(dim=1).mean() for t, s in pairs]).mean()
        if self.training:
            self.center.lerp_(logits.mean(dim=0), 1 - self.center_momentum)
        entropy = -(wanted[0] * wanted[0].clamp(min=1e-12).log()).sum(dim=1).mean()
        return loss, {"entropy": entropy}

    def after_step(self, progress: Progress) -> None:
        trained = [*self.encoder.parameters(), *self.head.parameters()]
        with torch.no_grad():
            for average, current in zip(self.teacher.parameters(), trained, strict=True):
                average.lerp_(current, 1 - self.momentum)
