"""The interval of a metric that has no influence values: seeds, draws and test images are drawn anew (bootstrap)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.statistics.interval import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Resampled:
    """A mean, and how it varies when seeds, draws and test images are drawn anew. No p-value is made of it.

    Attributes:
        mean: of all values.
        deviations: of the resamples from their mean, sorted.
        shape: numbers of seeds, draws and test images; 1 where chance does not vary it, or it was not varied.
        groups: whether groups, such as patients, stand in the place of test images.
        fixed: kinds of chance that could vary the values and were not varied: ``seed``, ``draw``.
    """

    mean: float
    deviations: NDArray[np.float64]
    shape: tuple[int, int, int]
    groups: bool = False
    fixed: frozenset[str] = field(default_factory=frozenset)

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the ends of the interval."""
        low, high = np.quantile(self.deviations, ((1 - level) / 2, (1 + level) / 2))
        return self.mean + float(low), self.mean + float(high)

    def half(self, level: float = LEVEL) -> float:
        """Return half the width of the interval."""
        low, high = self.interval(level)
        return (high - low) / 2


def resampled(
    values: NDArray[np.float64], mean: float, images: int, *, groups: bool = False, fixed: frozenset[str] = frozenset()
) -> Resampled:
    """Return the mean of a metric, and how it varies, by a crossed bootstrap.

    The deviations are from the mean of the resamples, and not from the mean that was measured: a metric that is biased
    upward on few images is more so on a resample, which has fewer different ones.

    Args:
        values: (S, D, T) of each seed and draw, over T resamples of the test images, the same for every seed and draw.
        mean: what was measured.
        images: number of test images, or of groups.
        groups: whether these are groups.
        fixed: kinds of chance that could vary the values and were not varied.
    """
    seeds, draws, times = values.shape
    random = np.random.default_rng([seeds, draws, images])
    of_seeds, of_draws = (random.multinomial(n, np.full(n, 1 / n), times) / n for n in (seeds, draws))
    found = np.einsum("sdt,ts,td->t", values, of_seeds, of_draws)
    return Resampled(mean, np.sort(found - found.mean()), (seeds, draws, images), groups, fixed)
