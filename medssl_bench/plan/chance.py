"""What chance decides of a trial."""

from __future__ import annotations

from typing import NamedTuple


class Chance(NamedTuple):
    """A training seed, a label draw and a fold; two trials are paired where these are the same.

    Attributes:
        seed: training seed.
        draw: label draw.
        fold: number of the fold, from 0; None: the data set's own splits.
    """

    seed: int
    draw: int
    fold: int | None = None

    def __str__(self) -> str:
        return f"seed {self.seed}, draw {self.draw}{fold_text(self.fold)}"


def fold_text(fold: int | None) -> str:
    """Return ``, fold 2``, or nothing."""
    return "" if fold is None else f", fold {fold}"
