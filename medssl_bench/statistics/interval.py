"""The interval of a mean over training seeds, label draws and test images, which are crossed."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING

from medssl_bench.statistics.layout import MeanSquares
from medssl_bench.statistics.student import below, quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVEL = 0.95
"""Of the intervals that tables show."""

_ROUNDING = 1e-12
"""A variance that is a smaller share of its least value than this differs from 0 by rounding alone."""


@dataclass(frozen=True)
class Estimate:
    """A mean with its variance.

    Attributes:
        mean: of all values.
        variance: of that mean, for other seeds, draws and test images.
        freedom: degrees of freedom of the variance, 1 or more (Satterthwaite 1946).
        shape: numbers of seeds, draws and test images; 1 where chance does not vary it, or it was not varied.
        squares: the mean squares that the variance is made of.
        groups: whether groups, such as patients, stand in the place of test images.
        fixed: kinds of chance that could vary the values and were not varied: ``seed``, ``draw``.
    """

    mean: float
    variance: float
    freedom: float
    shape: tuple[int, int, int]
    squares: MeanSquares
    groups: bool = False
    fixed: frozenset[str] = field(default_factory=frozenset)

    def half(self, level: float = LEVEL) -> float:
        """Return half the width of the interval."""
        return quantile(self.freedom, (1 + level) / 2) * sqrt(self.variance)

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the ends of the interval."""
        half = self.half(level)
        return self.mean - half, self.mean + half

    @property
    def p(self) -> float:
        """The two-sided p-value of a mean of 0."""
        return min(1.0, 2 * self.p_below(0.0, abs(self.mean)))

    def p_below(self, value: float, mean: float | None = None) -> float:
        """Return the one-sided p-value of a true mean of `value` or less."""
        gap = (self.mean if mean is None else mean) - value
        if self.variance == 0:  # all values are the same, see `estimate`
            return 0.0 if gap > 0 else 1.0
        return below(self.freedom, -gap / sqrt(self.variance))


def estimate(
    values: NDArray[np.float64],
    *,
    images: int | None = None,
    groups: bool = False,
    fixed: frozenset[str] = frozenset(),
) -> Estimate:
    """Return the mean of values and its variance, for other seeds, draws and test images.

    With S seeds, D draws and n images, k = S D n and the mean squares MS of the three-way layout::

        V_S = MS_S / k    V_D = MS_D / k    V_SD = MS_SD / k    V_I = max(0, (MS_I - MS_SI - MS_DI + MS_SDI) / k)
        V = max(V_S + V_D - V_SD, V_S, V_D) + V_I
        df = V^2 / (V_S^2 / (S - 1) + V_D^2 / (D - 1) + V_I^2 / (n - 1)), at least 1

    Each component of the variance is counted once, before the maximum. With one draw, V_D and V_SD are nothing and
    V_I = max(0, (MS_I - MS_SI) / k); with one seed likewise; with one of both, V = MS_I / n. This is the analysis of
    several readers and several cases (Dorfman, Berbaum and Metz 1992; Hillis 2007) with two kinds of readers.

    Where a few seeds and draws have the same mean by chance, as two of them may on few images, V would be 0 while the
    values differ. Then V = max(MS_SI, MS_DI, MS_SDI) / k, a part of V_S or V_D that is always there, with the degrees
    of freedom of the fewest seeds or draws.

    Args:
        values: (S, D, N): for each seed, draw and test image, N of 2 or more, one number; its mean over the images is
            the metric, or the difference of two arms' metrics.
        images: number of test images, where the values are of resamples of these; None: N.
        groups: whether groups stand in the place of test images.
        fixed: kinds of chance that could vary the values and were not varied.
    """
    seeds, draws, count = values.shape
    images = images or count
    squares = MeanSquares.of(values).scaled(images / count)
    total = seeds * draws * images
    of_seeds, of_draws, of_both = (each / total for each in (squares.seed, squares.draw, squares.seed_draw))
    excess = squares.image - squares.seed_image - squares.draw_image + squares.rest
    of_images = max(0.0, excess / total)
    variance = max(of_seeds + of_draws - of_both, of_seeds, of_draws) + of_images
    parts = ((of_seeds, seeds - 1), (of_draws, draws - 1), (of_images, images - 1))
    spread = sum(part**2 / freedom for part, freedom in parts if freedom)
    freedom = max(1.0, variance**2 / spread) if spread else float(max(1, images - 1))
    within = max(squares.seed_image, squares.draw_image, squares.rest) / total
    if variance < _ROUNDING * within:
        variance, freedom = within, float(min((each for each in (seeds - 1, draws - 1) if each), default=1))
    return Estimate(float(values.mean()), variance, freedom, (seeds, draws, images), squares, groups, fixed)
