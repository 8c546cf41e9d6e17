"""Words for a difference: better, worse, no difference that matters, or cannot tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.statistics.interval import Estimate

Word = Literal["better", "worse", "no difference that matters", "cannot tell"]

ALPHA = 0.05
"""The share of columns in which chance alone may make some arm better or worse."""


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for several comparisons (Holm 1979): the chance that any of them is false is kept."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


@dataclass(frozen=True)
class Verdict:
    """What can be said of a difference.

    Attributes:
        word: what is said.
        p: p-value of no difference, adjusted for the family.
        within: whether the difference is shown to be smaller than the margin; a better arm may be so too.
    """

    word: Word
    p: float
    within: bool = False

    @property
    def text(self) -> str:
        """What is said, with the margin where it matters."""
        return f"{self.word}, but within the margin" if self.within and self.word in {"better", "worse"} else self.word


def verdict(difference: Estimate, p: float, *, higher_is_better: bool = True, margin: float | None = None) -> Verdict:
    """Return what can be said of a difference to the baseline.

    ``better`` and ``worse``: the adjusted p-value is below 5 %. ``no difference that matters``: both one-sided tests
    say at 5 % that the difference is smaller than the margin (Schuirmann 1987), so its 90 % interval lies within it.

    Args:
        difference: arm minus baseline. Where chance could have varied it by a training seed and did not, one training
            is all there is, and nothing can be told.
        p: its p-value, adjusted for the family of comparisons.
        higher_is_better: whether a positive difference is in the arm's favour.
        margin: the largest difference that does not matter; None: every one matters.
    """
    if "seed" in difference.fixed:
        return Verdict("cannot tell", p)
    low, high = difference.interval(1 - 2 * ALPHA)
    within = margin is not None and -margin < low and high < margin
    if p < ALPHA:
        return Verdict("better" if (difference.mean > 0) == higher_is_better else "worse", p, within)
    return Verdict("no difference that matters" if within else "cannot tell", p, within)
