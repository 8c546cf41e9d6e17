"""BYOL (Grill et al. 2020): a student predicts what the moving average of itself projects of the other view."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Progress, View, gauges
from medssl_bench_methods.distillation.cosine import mean_cosine
from medssl_bench_methods.heads import mlp
from medssl_bench_methods.parameters import Keep
from medssl_bench_methods.student_teacher import StudentTeacher


class BYOL(StudentTeacher):
    """An encoder and a head, the moving averages of both, and a predictor.

    Args:
        encoder: images to features.
        hidden: width of the hidden layers.
        projection: length of the projections.
        momentum: of the moving averages at the first step.
        rises: whether the momentum rises to 1.
        predicts: whether there is a predictor.
        keep: the encoder that is left.
        second: makes the augmentation of the second view; None: the recipe's.
    """

    monitor: ClassVar[str | None] = "agreement"
    recordable = True

    def __init__(
        self,
        encoder: nn.Module,
        *,
        hidden: int,
        projection: int,
        momentum: float,
        rises: bool,
        predicts: bool,
        keep: Keep,
        second: Callable[..., nn.Module] | None,
    ) -> None:
        head = mlp([feature_dim(encoder), hidden, projection])
        super().__init__(encoder, head, momentum=momentum, momentum_end=1.0 if rises else None, keep=keep)
        self.predictor = mlp([projection, hidden, projection]) if predicts else nn.Identity()
        self.second = View(augmentation=second)

    def views(self) -> tuple[View, View]:
        """Return two views; the second may have an augmentation of its own."""
        return View(), self.second

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss and the gauges."""
        first, second = (self.head(self.student(view)) for view in batch.views)
        with torch.no_grad():
            of_first, of_second = (self.teacher_head(self.teacher(view)) for view in batch.views)
        forward = mean_cosine(self.predictor(first), of_second)
        backward = mean_cosine(self.predictor(second), of_first)
        return 4 - 2 * (forward + backward), gauges(first, second, training=self.training)
