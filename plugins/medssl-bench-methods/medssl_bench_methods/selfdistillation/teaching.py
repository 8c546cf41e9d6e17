"""What changes in the course of a self-distillation: the teacher's momentum and sharpness, and when a layer moves."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from medssl_bench.methods import Progress
from medssl_bench_methods.parameters import Keep
from medssl_bench_methods.selfdistillation.head import DINOHead
from medssl_bench_methods.student_teacher import StudentTeacher

_WARMUP = 0.3
"""Part of the training after which the teacher's temperature stays: the paper's 30 epochs of 100."""


@dataclass(frozen=True)
class Pace:
    """What changes in the course of a training.

    Attributes:
        momentum: of the teacher in the beginning.
        momentum_end: of the teacher in the end.
        temperature: of the teacher in the beginning.
        temperature_end: of the teacher after the warm-up.
        frozen: part of the training in which the last layer stays.
    """

    momentum: float
    momentum_end: float
    temperature: float
    temperature_end: float
    frozen: float

    def temperature_at(self, fraction: float) -> float:
        """Return the teacher's temperature, a line and then a constant."""
        return self.temperature + (self.temperature_end - self.temperature) * min(fraction / _WARMUP, 1)


class Taught(StudentTeacher):
    """A student whose teacher's sharpness, and whose last layer, change in the course of a training.

    Args:
        encoder: images to features.
        head: what is on it.
        pace: what changes in the course of a training.
        keep: ``student`` or ``teacher``, whose encoder is ``self.encoder``.
        clip: largest norm of the gradient of each trained parameter; None: none.
    """

    recordable = True
    head: DINOHead
    teacher_temperature: Tensor

    def __init__(self, encoder: nn.Module, head: DINOHead, *, pace: Pace, keep: Keep, clip: float | None) -> None:
        super().__init__(encoder, head, momentum=pace.momentum, momentum_end=pace.momentum_end, keep=keep)
        self.pace = pace
        self.register_buffer("teacher_temperature", torch.tensor(float(pace.temperature)))
        self.head.moves.fill_(float(pace.frozen <= 0))
        self._clip = clip
        for parameter in self.parameters():
            self.clipped(parameter)

    def clipped(self, parameter: nn.Parameter) -> nn.Parameter:
        """Return a parameter whose gradient, if it wants one, is no longer than the largest norm."""
        if self._clip is not None and parameter.requires_grad:
            parameter.register_hook(_Clip(self._clip))
        return parameter

    def after_step(self, progress: Progress) -> None:
        """Move the teacher, and set what the next step is done with."""
        super().after_step(progress)
        done = (progress.step + 1) / progress.total
        self.teacher_temperature.fill_(self.pace.temperature_at(done))
        self.head.moves.fill_(float(done >= self.pace.frozen))


class _Clip:
    """Shortens a gradient to a largest norm; as a hook, a recorded step has it, too."""

    def __init__(self, largest: float) -> None:
        self.largest = largest

    def __call__(self, gradient: Tensor) -> Tensor:
        """Return the gradient, no longer than that."""
        return gradient * (self.largest / (gradient.norm() + 1e-6)).clamp(max=1)
