"""What one more run of two arms would give: of another training seed, another label draw and other test images."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

from medssl_bench.statistics.layout import Components

if TYPE_CHECKING:
    from medssl_bench.statistics.interval import Estimate


@dataclass(frozen=True)
class OneRun:
    """How far one run is from the mean of all runs, by what varies it: standard deviations.

    Attributes:
        seed: of the training seed; None: it was not varied.
        draw: of the label draw; None: it was not varied.
        cell: of what a seed and a draw do together; None: one of the two was not varied.
        image: of the test images, as many as there are.
    """

    seed: float | None
    draw: float | None
    cell: float | None
    image: float

    @classmethod
    def of(cls, found: Estimate) -> OneRun:
        """Return the parts of the variance of one run: the components of the mean squares, without what is shared."""
        parts = Components.of(found.squares, found.shape)
        images = (parts.image + parts.seed_image + parts.draw_image + parts.rest) / found.shape[2]
        seed = None if "seed" in found.fixed else sqrt(parts.seed)
        draw = None if "draw" in found.fixed else sqrt(parts.draw)
        return cls(seed, draw, None if found.fixed else sqrt(parts.seed_draw), sqrt(images))

    @property
    def total(self) -> float:
        """Standard deviation of one run, by all that was varied."""
        return sqrt(sum(part**2 for part in (self.seed, self.draw, self.cell, self.image) if part is not None))


def reruns_won(difference: Estimate, *, higher_is_better: bool = True) -> float | None:
    """Return in which share of reruns an arm would be ahead of the other one, or None where one seed was run.

    It is Phi(mean / SD) of one run, whose SD is that of `OneRun`. It says how often a reader who runs both arms once
    sees the same order; it is no probability that an arm is better, and has no interval of its own.

    Args:
        difference: arm minus the other one.
        higher_is_better: whether a positive difference is in the arm's favour.
    """
    if "seed" in difference.fixed:
        return None
    mean, total = difference.mean if higher_is_better else -difference.mean, OneRun.of(difference).total
    if not total:
        return 0.5 if mean == 0 else float(mean > 0)
    return NormalDist().cdf(mean / total)
