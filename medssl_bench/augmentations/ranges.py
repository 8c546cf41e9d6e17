"""Types of the parameters of augmentations, validated where a suite is read: importing this imports no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from medssl_bench.plugin.parameters import AddedLater

Probability = Annotated[float, Field(ge=0, le=1)]
"""A number in [0, 1]."""

_NotNegative = Annotated[float, Field(ge=0)]
_Positive = Annotated[float, Field(gt=0)]


def _increasing(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError("the first limit must not be larger than the second")
    return limits


def _above_zero(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] == 0:
        raise ValueError("the first limit must be above 0")
    return limits


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise ValueError("it must be odd")
    return number


Limits = Annotated[tuple[float, float], AfterValidator(_increasing)]
"""Two numbers, the least and the largest."""

FactorLimits = Annotated[tuple[_NotNegative, _NotNegative], AfterValidator(_increasing)]
"""Two numbers from 0."""

PositiveLimits = Annotated[tuple[_Positive, _Positive], AfterValidator(_increasing)]
"""Two numbers above 0."""

FractionLimits = Annotated[tuple[Probability, Probability], AfterValidator(_increasing), AfterValidator(_above_zero)]
"""Two numbers in (0, 1]."""

Strength = Annotated[tuple[Probability, Probability], AfterValidator(_increasing), AddedLater((1.0, 1.0))]
"""Two numbers in [0, 1], a parameter that [1, 1] makes as if it were not there."""

Region = Annotated[
    tuple[Probability, Probability], AfterValidator(_increasing), AfterValidator(_above_zero), AddedLater((1.0, 1.0))
]
"""Two numbers in (0, 1], a parameter that [1, 1] makes as if it were not there."""

_Turn = Annotated[float, Field(ge=-0.5, le=0.5)]
HueLimits = Annotated[tuple[_Turn, _Turn], AfterValidator(_increasing)]
"""Two shifts of the hue in turns, within [-0.5, 0.5]."""

OddSize = Annotated[int, Field(ge=1), AfterValidator(_odd)]
"""An odd number of pixels."""
