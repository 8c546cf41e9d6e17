"""How curves over the number of labels vary with training seeds, label draws and test images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.statistics.interval import LEVEL, estimate
from medssl_bench.statistics.label_efficiency import area
from medssl_bench.statistics.resampling import TIMES, resampled_means

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from medssl_bench.statistics.interval import Estimate


@dataclass(frozen=True)
class VariedCurves:
    """Curves of arms, and how they vary.

    A draw of a small budget is a part of the same draw of a large one, so that draws are the same for all budgets.

    Attributes:
        values: for each arm (S, D, N, B): by seed, draw, test image and label budget; an axis of what does not vary the
            arm has length 1.
        resampled: (times, arms, B) means if other seeds, draws and test images had been drawn.
        images: number of test images, or of groups of them.
        left_out: kinds of chance that could vary the curves and were not varied.
    """

    values: tuple[NDArray[np.float64], ...]
    resampled: NDArray[np.float64]
    images: int
    left_out: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        columns: Sequence[Sequence[NDArray[np.float64]]],
        images: int,
        left_out: tuple[str, ...] = (),
        times: int = TIMES,
    ) -> VariedCurves:
        """Return the curves of columns, one for each label budget: for each arm (S, D, N) values."""
        by_arm = tuple(np.stack(np.broadcast_arrays(*of_arm), -1) for of_arm in zip(*columns, strict=True))
        return cls(by_arm, np.stack(resampled_means(columns, times), -1), images, left_out)

    def areas(self, logs: NDArray[np.float64], places: Sequence[int]) -> tuple[Estimate, Estimate]:
        """Return the area of an arm, and its difference to the baseline; an area is a mean of values, too.

        Args:
            logs: (B,) logarithms of the numbers of labels, ascending.
            places: of the arm and of the baseline.
        """
        arm, baseline = (area(logs, self.values[place]) for place in places)
        return estimate(arm, images=self.images), estimate(arm - baseline, images=self.images)

    def curves(self, logs: NDArray[np.float64], places: Sequence[int]) -> NDArray[np.float64]:
        """Return (times, 2, B) resampled curves of an arm and the baseline.

        A bootstrap of a few seeds shows too little of what seeds can do. Where its interval of the difference of areas
        is narrower than that of `areas`, the curves are stretched about what was measured until it is as wide.

        Args:
            logs: (B,) logarithms of the numbers of labels, ascending.
            places: of the arm and of the baseline.
        """
        drawn = self.resampled[:, places]
        measured = np.stack([self.values[place].mean((0, 1, 2)) for place in places])
        low, high = np.quantile(area(logs, drawn[:, 0] - drawn[:, 1]), ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
        half = self.areas(logs, places)[1].half()
        stretch = max(1.0, 2 * half / float(high - low)) if high > low else 1.0
        found: NDArray[np.float64] = measured + stretch * (drawn - measured)
        return found
