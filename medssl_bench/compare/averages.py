"""The mean of a claim's contrasts on one data set: one test, where a claim of many can hardly hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.results.formats.text import signed
from medssl_bench.statistics.claim import is_refuted, is_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from medssl_bench.published.claims import Condition
    from medssl_bench.results.cells import Cell
    from medssl_bench.statistics.interval import Estimate


@dataclass(frozen=True)
class Average:
    """The mean of several contrasts of one data set.

    Attributes:
        dataset: name of the data set as it was published.
        estimate: the mean with its variance.
        condition: one of those that it is of; all have its direction and margin.
    """

    dataset: str
    estimate: Estimate
    condition: Condition

    @property
    def is_shown(self) -> bool:
        """Whether it is shown to be on the side of the margin that is claimed."""
        return is_shown(self.estimate, self.condition.direction, self.condition.margin)

    def is_refuted(self, datasets: int) -> bool:
        """Return whether it is shown to be on the other side, as one of so many data sets."""
        return is_refuted(self.estimate, self.condition.direction, self.condition.margin, datasets)

    def __str__(self) -> str:
        """Name the data set, the mean and its interval."""
        low, high = self.estimate.interval()
        return f"{self.dataset} {signed(self.estimate.mean)} [{signed(low)}, {signed(high)}]"


def average(
    dataset: str,
    parts: Sequence[tuple[Condition, Sequence[tuple[int, Cell]]]],
    interval: Callable[[Sequence[tuple[float, Cell]]], Estimate | str],
) -> Average | None:
    """Return the mean of contrasts of one data set, or None where they have no common direction, margin and metric.

    Label budgets of a data set share their test images, seeds and the numbers of draws, so they are paired by these.
    Contrasts of several data sets have no mean here: they have no images in common.

    Args:
        dataset: name of the data set as it was published.
        parts: of each contrast its condition, and its cells with their signs.
        interval: computes the estimate of cells, each with its weight.
    """
    first = parts[0][0]
    kinds = {(each.direction, each.margin, each.metric) for each, _ in parts}
    if len(kinds) > 1:
        return None
    found = interval([(sign / len(parts), cell) for _, terms in parts for sign, cell in terms])
    return None if isinstance(found, str) else Average(dataset, found, first)
