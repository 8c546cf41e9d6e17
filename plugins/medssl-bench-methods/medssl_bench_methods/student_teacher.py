"""A method with two networks of one shape: one is trained, the other is its moving average."""

from __future__ import annotations

from torch import nn

from medssl_bench.methods import Method, Progress
from medssl_bench_methods.ema import average_of, momentum_at, move
from medssl_bench_methods.parameters import Keep


class StudentTeacher(Method):
    """An encoder and a head that are trained, and the moving averages of both.

    The encoder that a pretraining leaves is `Method.encoder`, so that is either of the two; the other one is a part
    that the training alone needs.

    Args:
        encoder: images to features.
        head: features to projections.
        momentum: of the moving average at the first step.
        momentum_end: at the end of the training, which it reaches by a half cosine; None: it stays.
        keep: the encoder that is left: the one that is trained, or its average.
    """

    discarded: tuple[str, ...] = ("other_encoder", "teacher_head")

    def __init__(
        self,
        encoder: nn.Module,
        head: nn.Module,
        *,
        momentum: float,
        momentum_end: float | None = None,
        keep: Keep = "student",
    ) -> None:
        average = average_of(encoder)
        super().__init__(encoder if keep == "student" else average)
        # under one name alone, as a module with two names is stored twice
        self.other_encoder = average if keep == "student" else encoder
        self.head, self.teacher_head = head, average_of(head)
        self.keeps_student = keep == "student"
        self.momentum = momentum, momentum if momentum_end is None else momentum_end

    @property
    def student(self) -> nn.Module:
        """The encoder that is trained."""
        return self.encoder if self.keeps_student else self.other_encoder

    @property
    def teacher(self) -> nn.Module:
        """The encoder that is the moving average of the student."""
        return self.other_encoder if self.keeps_student else self.encoder

    def after_step(self, progress: Progress) -> None:
        """Move the averages towards what is trained."""
        momentum = momentum_at(*self.momentum, progress)
        move([self.teacher, self.teacher_head], [self.student, self.head], momentum)
