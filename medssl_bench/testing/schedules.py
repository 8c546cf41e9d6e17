"""The contract of schedules: finite rates from 0, by the place and the length alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from medssl_bench.errors import StageError
from medssl_bench.testing.checking import Group, require
from medssl_bench.training.schedule import Schedule, rate_at

_LENGTHS = (1, 2, 7, 100, 1000)
_LR = 2**-8


def schedule_steps(build: Callable[[], Schedule]) -> list[Group]:
    """Return the steps for a schedule.

    Args:
        build: makes it.

    Raises:
        Failed: what it makes cannot be called.
    """
    made = build()
    require(callable(made), f"the factory gives {type(made).__name__}, not a function of (place, length, lr)")
    return [
        [("rates are finite numbers from 0", partial(_sound, made))],
        [("the same place has the same rate", partial(_pure, build))],
    ]


def _sound(schedule: Schedule) -> str:
    most = 0.0
    for length in _LENGTHS:
        for place in range(length):
            try:
                most = max(most, rate_at(schedule, place, length, _LR))
            except StageError as error:
                require(False, str(error))
    require(most > 0, "every rate is 0")
    return f"up to {most / _LR:.3g} times the learning rate"


def _pure(build: Callable[[], Schedule]) -> str:
    schedule = build()
    for length in _LENGTHS:
        rates = [schedule(place, length, _LR) for place in range(length)]
        back = [schedule(place, length, _LR) for place in reversed(range(length))]
        require(rates == back[::-1], "asked in another order, it gives other rates; keep no state")
        middle = length // 2
        require(build()(middle, length, _LR) == rates[middle], "a new one gives other rates; keep no state")
    return "yes"
