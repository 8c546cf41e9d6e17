"""Whether a contrast is on the side of a margin that a claim says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from medssl_bench.statistics.interval import LEVEL
from medssl_bench.statistics.verdict import ALPHA

if TYPE_CHECKING:
    from medssl_bench.statistics.interval import Estimate

Direction = Literal["above", "below", "within"]


def is_shown(found: Estimate, direction: Direction, margin: float) -> bool:
    """Return whether the 95 % interval lies on the side that is claimed: one-sided tests at 2.5 %.

    A claim that every one of its contrasts shows needs no adjustment for their number (intersection-union test, Berger
    1982).
    """
    low, high = found.interval(LEVEL)
    match direction:
        case "above":
            return low > margin
        case "below":
            return high < margin
        case "within":
            return -margin < low and high < margin


def is_refuted(found: Estimate, direction: Direction, margin: float, contrasts: int) -> bool:
    """Return whether the interval lies on the other side, at a level that is adjusted for the contrasts of the claim.

    One contrast that is refuted refutes the claim, so its level is 1 - 0.05 / contrasts (Bonferroni).
    """
    low, high = found.interval(1 - ALPHA / contrasts)
    match direction:
        case "above":
            return high < margin
        case "below":
            return low > margin
        case "within":
            return low > margin or high < -margin
