"""Where the result of one more run is expected: for a published number, which is one seed and one draw."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from medssl_bench.statistics.interval import LEVEL
from medssl_bench.statistics.layout import MeanSquares, without_images
from medssl_bench.statistics.student import quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def prediction_half(values: NDArray[np.float64], level: float = LEVEL) -> float:
    """Return half the width of the prediction interval around the mean of values, for one of another seed and draw.

    The test images are the same, so they are no part of it. With S seeds and D draws, and mean squares MS::

        V = a MS_S + b MS_D + c MS_SD, at least max(a MS_S, b MS_D)
        a = (1 + 1 / S) / D    b = (1 + 1 / D) / S    c = 1 + 1 / (S D) - a - b

    With one draw, V = (1 + 1 / S) times the variance of the seeds. Degrees of freedom are Satterthwaite's.

    Args:
        values: (S, D) results, S of 2 or more; D is 1 where no draw can vary them, or one was run.
        level: how often the interval holds the value.
    """
    seeds, draws = values.shape
    if draws == 1:
        return quantile(seeds - 1, (1 + level) / 2) * sqrt((1 + 1 / seeds) * float(values.var(ddof=1)))
    squares = MeanSquares.of(without_images(values))  # they are doubled
    a, b = (1 + 1 / seeds) / draws, (1 + 1 / draws) / seeds
    c = 1 + 1 / (seeds * draws) - a - b
    of_seed, of_draw, of_both = a * squares.seed / 2, b * squares.draw / 2, c * squares.seed_draw / 2
    variance = max(of_seed + of_draw + of_both, of_seed, of_draw)
    parts = ((of_seed, seeds - 1), (of_draw, draws - 1), (of_both, (seeds - 1) * (draws - 1)))
    spread = sum(part**2 / freedom for part, freedom in parts)
    freedom = max(1.0, variance**2 / spread) if spread else 1.0
    return quantile(freedom, (1 + level) / 2) * sqrt(variance)
