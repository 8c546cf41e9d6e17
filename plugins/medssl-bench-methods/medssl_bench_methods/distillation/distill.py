"""Distillation (Hinton et al. 2015) from a trained arm, on unlabelled images."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.errors import StageError
from medssl_bench.methods import Batch, Method, MethodContext, Progress, View, gauges, in_float32


def distillation_loss(student: Tensor, teacher: Tensor, temperature: float, *, several_labels: bool) -> Tensor:
    """Return the cross-entropy of the student's outputs with the teacher's.

    Args:
        student: (B, C) logits.
        teacher: (B, C) logits; no gradient passes through them.
        temperature: both are divided by it.
        several_labels: whether each of the C outputs is a label of its own: the mean of their binary cross-entropies.
    """
    with in_float32(student.device):
        said, wanted = student.float() / temperature, teacher.detach().float() / temperature
        if several_labels:
            return F.binary_cross_entropy_with_logits(said, wanted.sigmoid())
        return F.cross_entropy(said, wanted.softmax(dim=1))


class Distill(Method):
    """An encoder, a classification layer and the teacher.

    Args:
        encoder: images to features.
        context: has the teacher.
        temperature: what logits are divided by.
        several_labels: whether the teacher's outputs are labels of which an image may have several.
        intensity: whether the view has the ops that change intensities.

    Raises:
        StageError: there is no teacher.
    """

    monitor: ClassVar[str | None] = "teacher_agreement"
    recordable = True
    discarded = ("teacher",)

    def __init__(
        self,
        encoder: nn.Module,
        context: MethodContext,
        *,
        temperature: float,
        several_labels: bool,
        intensity: bool,
    ) -> None:
        if context.teacher is None:
            raise StageError('distill needs a teacher: set teacher = { arm = "..." } in the recipe')
        super().__init__(encoder)
        self.teacher = context.teacher
        device = next(self.teacher.parameters()).device
        with torch.no_grad():
            outputs = self.teacher(torch.zeros(1, 3, context.size, context.size, device=device)).shape[1]
        self.head = nn.Linear(feature_dim(encoder), outputs)
        self.temperature, self.several_labels, self.intensity = temperature, several_labels, intensity

    def views(self) -> tuple[View]:
        """Return one view, of the recipe's geometry alone unless intensities may change."""
        return (View(intensity=self.intensity),)

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, how often student and teacher say the same, and the gauges of the features."""
        (view,) = batch.views
        features = self.encoder(view)
        said = self.head(features).float()
        with torch.no_grad():
            wanted = self.teacher(view).float()
        loss = distillation_loss(said, wanted, self.temperature, several_labels=self.several_labels)
        if self.several_labels:
            same = (said.detach() > 0) == (wanted > 0)
        else:
            same = said.detach().argmax(dim=1) == wanted.argmax(dim=1)
        return loss, {"teacher_agreement": same.float().mean(), **gauges(features, training=self.training)}
