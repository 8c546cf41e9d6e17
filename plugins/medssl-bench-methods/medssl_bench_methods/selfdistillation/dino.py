"""DINO (Caron et al. 2021): self-distillation without labels, from large crops to all crops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench.encoders.dim import feature_dim
from medssl_bench.methods import Batch, Progress, View, gauges, in_float32
from medssl_bench_methods.multicrop import features_of, swapped_cross_entropy
from medssl_bench_methods.parameters import Keep
from medssl_bench_methods.selfdistillation.centering import Centering, Rule
from medssl_bench_methods.selfdistillation.head import DINOHead
from medssl_bench_methods.selfdistillation.teaching import Pace, Taught
from medssl_bench_methods.use import entropy, used


def dino_loss(wanted: Tensor, student: Tensor, temperature: float) -> Tensor:
    """Return the loss of eq. 3, the mean over pairs of a large crop and another one.

    Args:
        wanted: (2, B, K) probabilities that the teacher gives the two large crops.
        student: (V, B, K) output of the student for all crops, the same two first.
        temperature: of the student.
    """
    with in_float32(student.device):
        return swapped_cross_entropy(wanted, F.log_softmax(student.float() / temperature, dim=2))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What DINO and iBOT are made with.

    Attributes:
        hidden: width of the head's hidden layers.
        projection: length of the head's normalised vectors.
        prototypes: length K of the output.
        temperature: of the student.
        pace: what changes in the course of a training.
        centering: ``sinkhorn`` or ``mean``.
        center_momentum: of the moving mean.
        clip: largest norm of a parameter's gradient; None: none.
        keep: whose encoder is kept.
    """

    hidden: int
    projection: int
    prototypes: int
    temperature: float
    pace: Pace
    centering: Rule
    center_momentum: float
    clip: float | None
    keep: Keep

    def make_centering(self) -> Centering:
        """Return what makes probabilities of the teacher's outputs."""
        return Centering(self.centering, self.prototypes, self.center_momentum)


class DINO(Taught):
    """A student that sees all crops and a teacher that sees the large ones.

    Args:
        encoder: images to features.
        views: two large ones, then small ones.
        settings: of heads, centring and teacher.
    """

    monitor: ClassVar[str | None] = "agreement"

    def __init__(self, encoder: nn.Module, views: Sequence[View], settings: Settings) -> None:
        head = DINOHead(feature_dim(encoder), settings.hidden, settings.projection, settings.prototypes)
        super().__init__(encoder, head, pace=settings.pace, keep=settings.keep, clip=settings.clip)
        self._views = tuple(views)
        self.temperature = settings.temperature
        self.centering = settings.make_centering()

    def views(self) -> tuple[View, ...]:
        """Return two large views and the small ones."""
        return self._views

    def forward(self, batch: Batch, progress: Progress) -> tuple[Tensor, dict[str, Tensor]]:  # noqa: ARG002
        """Return the loss, the gauges, and what the teacher says.

        The gauges are of the student's outputs: what is before them has a large part that all images share.
        ``entropy`` is that of the teacher's probabilities over log K (1: the same for all outputs, 0: one output), and
        ``used`` the share of the outputs that are the highest of an image. Both near 0, or an entropy of 1 that stays,
        is a collapse.
        """
        features = features_of(self.student, batch.views)
        with torch.no_grad():
            taught = self.teacher(torch.cat(batch.views[:2]))
        return self._of_images(features, taught, len(batch.image))

    def _of_images(self, features: Tensor, taught: Tensor, count: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and the metrics of the features of all crops, and of the teacher's of the large ones."""
        output = self.head(features)
        with torch.no_grad():
            said = self.teacher_head(taught)
            wanted = self.centering(said, self.teacher_temperature)
        loss = dino_loss(wanted.view(2, count, -1), output.view(-1, count, output.shape[1]), self.temperature)
        found = gauges(output[:count], output[count : 2 * count], training=self.training)
        return loss, found | {"entropy": entropy(wanted).mean() / math.log(wanted.shape[1]), "used": used(said)}
