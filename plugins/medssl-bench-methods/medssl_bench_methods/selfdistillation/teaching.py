"""A student and its moving average, the teacher: which of them is kept, and what changes during a training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from medssl_bench.methods import Method, Progress
from medssl_bench_methods.ema import average_of, move
from medssl_bench_methods.selfdistillation.head import DINOHead

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

    def momentum_at(self, fraction: float) -> float:
        """Return the teacher's momentum, a half cosine from the first to the last."""
        return self.momentum_end - (self.momentum_end - self.momentum) * (1 + math.cos(math.pi * fraction)) / 2

    def temperature_at(self, fraction: float) -> float:
        """Return the teacher's temperature, a line and then a constant."""
        return self.temperature + (self.temperature_end - self.temperature) * min(fraction / _WARMUP, 1)


class Taught(Method):
    """An encoder and a head, and their moving averages, of which one encoder is kept.

    Args:
        encoder: images to features.
        head: what is on it.
        pace: what changes in the course of a training.
        keep: ``student`` or ``teacher``, whose encoder is ``self.encoder``.
        clip: largest norm of the gradient of each trained parameter; None: none.
    """

    recordable = True
    teacher_temperature: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        head: DINOHead,
        *,
        pace: Pace,
        keep: Literal["student", "teacher"],
        clip: float | None,
    ) -> None:
        teacher = average_of(encoder)
        super().__init__(encoder if keep == "student" else teacher)
        # under one name alone, as a module with two names is stored twice
        self.other_encoder = teacher if keep == "student" else encoder
        self.head, self.teacher_head = head, average_of(head)
        self._keep, self.pace = keep, pace
        self.register_buffer("teacher_temperature", torch.tensor(float(pace.temperature)))
        self.head.moves.fill_(float(pace.frozen <= 0))
        self.discarded = ("other_encoder", "teacher_head")
        self._clip = clip
        for parameter in self.parameters():
            self.clipped(parameter)

    def clipped(self, parameter: nn.Parameter) -> nn.Parameter:
        """Return a parameter whose gradient, if it wants one, is no longer than the largest norm."""
        if self._clip is not None and parameter.requires_grad:
            parameter.register_hook(_Clip(self._clip))
        return parameter

    @property
    def student(self) -> nn.Module:
        """The encoder that is trained."""
        return self.encoder if self._keep == "student" else self.other_encoder

    @property
    def teacher(self) -> nn.Module:
        """Its moving average."""
        return self.other_encoder if self._keep == "student" else self.encoder

    def after_step(self, progress: Progress) -> None:
        """Move the teacher, and set what the next step is done with."""
        momentum = self.pace.momentum_at(progress.fraction)
        move([self.teacher, self.teacher_head], [self.student, self.head], momentum)
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
