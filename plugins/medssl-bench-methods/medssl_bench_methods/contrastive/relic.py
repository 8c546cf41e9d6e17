"""ReLIC (Mitrovic et al. 2021): contrast with a moving average, and a penalty where augmentation changes the answer."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Progress, View, gauges, in_float32
from medssl_bench_methods.heads import mlp
from medssl_bench_methods.parameters import Keep
from medssl_bench_methods.student_teacher import StudentTeacher


def relic_loss(
    students: tuple[Tensor, Tensor], teachers: tuple[Tensor, Tensor], alpha: float, temperature: float
) -> tuple[Tensor, Tensor]:
    """Return the loss, and its mean divergence before the weight.

    Args:
        students: (B, d) of length 1, of the first and of the second views.
        teachers: the same by the moving average.
        alpha: weight of the divergence.
        temperature: what similarities are divided by.
    """
    with in_float32(students[0].device):
        first = F.log_softmax(students[0] @ teachers[1].T / temperature, dim=1)
        second = F.log_softmax(students[1] @ teachers[0].T / temperature, dim=1)
        contrast = -(first.diagonal().mean() + second.diagonal().mean()) / 2
        change = (_divergence(first, second) + _divergence(second, first)) / 2
        return contrast + alpha * change, change.detach()


def _divergence(wanted: Tensor, said: Tensor) -> Tensor:
    """Return KL(wanted || said), the mean of the rows of log-probabilities; no gradient through what is wanted."""
    return F.kl_div(said, wanted.detach(), reduction="batchmean", log_target=True)


class ReLIC(StudentTeacher):
    """An encoder and a head, and the moving averages of both.

    Args:
        encoder: images to features.
        hidden: width of the head's hidden layer.
        projection: length of the projections.
        alpha: weight of the divergence.
        temperature: what similarities are divided by.
        momentum: of the moving averages at the first step.
        keep: the encoder that is left.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True

    def __init__(
        self,
        encoder: nn.Module,
        *,
        hidden: int,
        projection: int,
        alpha: float,
        temperature: float,
        momentum: float,
        keep: Keep,
    ) -> None:
        head = mlp([feature_dim(encoder), hidden, projection])
        super().__init__(encoder, head, momentum=momentum, momentum_end=1.0, keep=keep)
        self.alpha, self.temperature = alpha, temperature

    def views(self) -> tuple[View, View]:
        """Return two views of the recipe's augmentation."""
        return View(), View()

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the divergence, and the gauges."""
        first, second = (F.normalize(self.head(self.student(view)).float(), dim=1) for view in batch.views)
        with torch.no_grad():
            averages = [F.normalize(self.teacher_head(self.teacher(view)).float(), dim=1) for view in batch.views]
        loss, change = relic_loss((first, second), (averages[0], averages[1]), self.alpha, self.temperature)
        return loss, {"divergence": change, **gauges(first, second, training=self.training)}
