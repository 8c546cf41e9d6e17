"""Learning-rate schedules, each a formula of the epoch (or step), so that resuming needs no state."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Annotated

from pydantic import Field

from medssl_bench.errors import StageError
from medssl_bench.plugin.parameters import InDuration

Schedule = Callable[[int, float, float], float]
"""A schedule: the learning rate at a place.

Its arguments are the place, from 0; the length of the training in the same unit (an epoch, a step or a number of
images); and the learning rate of the optimiser. It must give the same rate for the same arguments: nothing of it is
kept when a training is interrupted.
"""


def rate_at(schedule: Schedule, place: int, length: float, lr: float) -> float:
    """Return the rate of a schedule, which may be a plugin's; arguments as of `Schedule`.

    Raises:
        StageError: it is not a finite number from 0.
    """
    rate: object = schedule(place, length, lr)
    if isinstance(rate, bool) or not isinstance(rate, Real) or not math.isfinite(rate) or rate < 0:
        raise StageError(f"the schedule gives {rate!r} at place {place} of {length:g}, not a finite number from 0")
    return float(rate)


def cosine(epoch: int, *, start: float, minimum: float, period: float) -> float:
    """Return cosine annealing without restarts (Loshchilov and Hutter 2017, eq. 5).

    Args:
        epoch: 0-based. Past the period the rate climbs again, as PyTorch's ``CosineAnnealingLR`` does.
        start: the rate at epoch 0.
        minimum: the rate at epoch `period`.
        period: half a wave, in epochs.
    """
    return minimum + (start - minimum) * (1 + math.cos(math.pi * epoch / period)) / 2


def warmup(epoch: int, epochs: int) -> float:
    """Return the factor of a linear rise over the first epochs: 1 from epoch `epochs` on, above 0 at epoch 0."""
    return min(1.0, (epoch + 1) / (epochs + 1))


def multistep(epoch: int, *, start: float, milestones: Sequence[float], factor: float = 0.1) -> float:
    """Return a rate that is multiplied by `factor` at each milestone epoch."""
    return start * factor ** sum(epoch >= milestone for milestone in milestones)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the built-in schedules take.

    Args:
        minimum: of cosine; the others ignore it.
        period: of cosine; the others ignore it.
        warmup: linear rise from 0 before the schedule starts, in the duration's unit.
    """

    minimum: Annotated[float, Field(ge=0)] = 1e-5
    period: Annotated[int | None, Field(ge=1), InDuration(least=1)] = None
    warmup: Annotated[int, Field(ge=0), InDuration(least=0, below=True)] = 0


@dataclass(frozen=True, kw_only=True)
class Cosine(Settings):
    """Cosine annealing without restarts (Loshchilov and Hutter 2017).

    Args:
        minimum: learning rate at the end of the cosine's half period.
        period: half period of the cosine, in the duration's unit; past it the rate climbs again; none: all of it.
    """

    def __call__(self, place: int, length: float, lr: float) -> float:
        """Return the learning rate at a place; arguments as of `Schedule`."""
        factor = warmup(place, self.warmup) if place < self.warmup else 1.0
        period = self.period or max(1.0, length - self.warmup)
        return factor * cosine(max(0, place - self.warmup), start=lr, minimum=self.minimum, period=period)


@dataclass(frozen=True, kw_only=True)
class Constant(Settings):
    """One learning rate, after a linear rise if one is wanted."""

    def __call__(self, place: int, length: float, lr: float) -> float:  # noqa: ARG002 - as every schedule
        """Return the learning rate at a place; arguments as of `Schedule`."""
        return lr * (warmup(place, self.warmup) if place < self.warmup else 1.0)


@dataclass(frozen=True, kw_only=True)
class Steps:
    """One learning rate that falls by a factor at some places of the training, as `MultiStepLR` of PyTorch does it.

    Args:
        at: where it falls, as shares of the training: 0.5 and 0.75 are epochs 50 and 75 of 100.
        factor: what it is multiplied by.
        warmup: linear rise from 0 before that, in the duration's unit.
    """

    at: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)] = (0.5, 0.75)
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1
    warmup: Annotated[int, Field(ge=0), InDuration(least=0, below=True)] = 0

    def __call__(self, place: int, length: float, lr: float) -> float:
        """Return the learning rate at a place; arguments as of `Schedule`."""
        rise = warmup(place, self.warmup) if place < self.warmup else 1.0
        return rise * multistep(place, start=lr, milestones=[share * length for share in self.at], factor=self.factor)
