"""Teachers: a moving average in BYOL (Grill et al. 2020), a fine-tuned arm in distillation (Hinton et al. 2015)."""

from __future__ import annotations

from copy import deepcopy
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from medssl_bench import hookimpl
from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Method, MethodContext, Progress, View


@hookimpl
def medssl_methods(register):
    register("byol", byol)
    register("distill", distill)


def byol(
    encoder: nn.Module,
    context: MethodContext,
    *,
    momentum: Annotated[float, Field(ge=0, le=1)] = 0.99,
    hidden: Annotated[int, Field(ge=1)] = 64,
) -> Method:
    """BYOL: predict the projection that a moving average of the network makes of the other view.

    Args:
        momentum: of the moving average.
        hidden: width of the heads.
    """
    return Byol(encoder, momentum, hidden)


class Byol(Method):
    def __init__(self, encoder: nn.Module, momentum: float, hidden: int) -> None:
        super().__init__(encoder)
        self.momentum = momentum
        self.projector, self.predictor = _head(encoder.dim, hidden), _head(hidden // 2, hidden)
        self.target = deepcopy(nn.Sequential(encoder, self.projector)).requires_grad_(requires_grad=False)

    def views(self) -> tuple[View, View]:
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        both = torch.cat(batch.views)
        predicted = F.normalize(self.predictor(self.projector(self.encoder(both))).float(), dim=1)
        with torch.no_grad():
            wanted = F.normalize(self.target(both).float(), dim=1).roll(len(batch.image), dims=0)
        return (2 - 2 * (predicted * wanted).sum(dim=1)).mean(), {}

    def after_step(self, progress: Progress) -> None:
        trained = [*self.encoder.parameters(), *self.projector.parameters()]
        with torch.no_grad():
            for average, current in zip(self.target.parameters(), trained, strict=True):
                average.lerp_(current, 1 - self.momentum)


def distill(encoder: nn.Module, context: MethodContext, *, temperature: Annotated[float, Field(gt=0)] = 2.0) -> Method:
    """Distillation: tell what a fine-tuned arm says of unlabelled images.

    Args:
        temperature: both outputs are divided by it.
    """
    if context.teacher is None:
        raise StageError('distill needs a teacher: set teacher = { arm = "..." } in the recipe')
    seen = torch.zeros(1, 3, context.size, context.size, device=next(context.teacher.parameters()).device)
    return Distill(encoder, context.teacher, context.teacher(seen).shape[1], temperature)


class Distill(Method):
    def __init__(self, encoder: nn.Module, teacher: nn.Module, classes: int, temperature: float) -> None:
        super().__init__(encoder)
        self.teacher, self.temperature = teacher, temperature
        self.head = nn.Linear(encoder.dim, classes)

    def views(self) -> tuple[View]:
        return (View(),)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:
        (view,) = batch.views
        wanted = F.log_softmax(self.teacher(view).float() / self.temperature, dim=1)
        said = F.log_softmax(self.head(self.encoder(view)).float() / self.temperature, dim=1)
        loss = self.temperature**2 * F.kl_div(said, wanted, log_target=True, reduction="batchmean")
        return loss, {"agreement": (said.argmax(dim=1) == wanted.argmax(dim=1)).float().mean()}


def _head(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, hidden // 2))
