"""Which part of a suite is meant, as a user says it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from medssl_bench.errors import UserError
from medssl_bench.plan.selection import Selection


def make_selection(
    *,
    only: Sequence[str] = (),
    seeds: Iterable[int] | None = None,
    draws: Iterable[int] | None = None,
    folds: Iterable[int] | None = None,
    epochs_scale: float | None = None,
) -> Selection:
    """Return which part of a suite is meant.

    Raises:
        UserError: `epochs_scale` is not in (0, 1], or a seed, draw or fold is negative or missing.
    """
    if epochs_scale is not None and not 0 < epochs_scale <= 1:
        raise UserError(f"--epochs-scale {epochs_scale:g}: give a factor above 0 and up to 1")
    numbers = {
        name: None if given is None else tuple(dict.fromkeys(given))
        for name, given in (("seeds", seeds), ("draws", draws), ("folds", folds))
    }
    for name, found in numbers.items():
        if found is not None and (not found or min(found) < 0):
            raise UserError(f"--{name}: give one or more whole numbers from 0, as in 0,1,2")
    return Selection(tuple(only), numbers["seeds"], numbers["draws"], epochs_scale, numbers["folds"])
