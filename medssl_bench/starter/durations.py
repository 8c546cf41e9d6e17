"""How long a first suite trains, so that it fits the time that a user has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medssl_bench.errors import UserError
from medssl_bench.progress.words import duration

_EPOCHS = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000)
_USUAL = 100
_SEEDS = 3
_ENOUGH = 50
"""Epochs of pretraining from which on time is better spent on other training seeds: with one there are no verdicts."""

_MOST_TUNING = 100
_LEAST_TUNING = 5

_SHARE = 0.9
"""Of the time; the rest is for what an estimate misses."""


@dataclass(frozen=True)
class Lengths:
    """How long a suite trains, and how often.

    Attributes:
        pretraining: epochs of a pretraining.
        draws: how many label draws.
        seeds: how many training seeds.
    """

    pretraining: int = _USUAL
    draws: int = 3
    seeds: int = _SEEDS

    @property
    def tuning(self) -> int:
        """Epochs of a fine-tuning: the labelled images are few, so they are seen more often."""
        return min(_MOST_TUNING, max(_LEAST_TUNING, 2 * self.pretraining))


def fitting_lengths(seconds_of: Callable[[Lengths], float], hours: float) -> Lengths:
    """Return the longest lengths that fit: with three seeds if these leave enough epochs, with three draws if they fit.

    Args:
        seconds_of: how long a suite of some lengths takes.
        hours: the time there is.

    Raises:
        UserError: the shortest do not fit.
    """
    allowed = hours * 3600 * _SHARE
    for seeds, draws, enough in ((_SEEDS, 3, _ENOUGH), (1, 3, _EPOCHS[0]), (1, 1, _EPOCHS[0])):
        if seconds_of(Lengths(enough, draws, seeds)) > allowed:
            continue
        low, high = _EPOCHS.index(enough), len(_EPOCHS)  # the first fits; that at `high` does not
        while high - low > 1:
            middle = (low + high) // 2
            fits = seconds_of(Lengths(_EPOCHS[middle], draws, seeds)) <= allowed
            low, high = (middle, high) if fits else (low, middle)
        return Lengths(_EPOCHS[low], draws, seeds)
    least = seconds_of(Lengths(_EPOCHS[0], 1, 1))
    raise UserError(
        f"--hours {hours:g} is too short: one epoch of every training takes about {duration(least)}; give "
        f"--hours {least / 3600 / _SHARE * 1.05:.2g} or more, or a smaller --size"
    )
