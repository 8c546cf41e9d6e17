"""How far the numbers of a run are from the published ones, and whether they agree.

A published number is one value: another seed, another draw, the same test images. It agrees with the run where it lies
in the 95 % interval in which one more result of the run is expected. A run with one training seed does not know how far
seeds are apart, so it is not judged; nor are folds, as published splits are others. Scaled results are not compared,
nor cells some of whose values are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.results.crossed import crossed
from medssl_bench.statistics.prediction import prediction_half

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from medssl_bench.results.cells import Cell

_NAMED = 5
"""Numbers that differ which are named; more are counted."""

_ROUNDING = 0.0005
"""Published numbers have three places."""


@dataclass(frozen=True)
class Agreement:
    """The comparison of a run with published numbers.

    Attributes:
        gaps: absolute difference of each number that is compared, in the order of the cells.
        agreeing: how many agree.
        differing: those that differ: which cell, its mean, the interval and the published number.
        missing: published numbers whose cell in the run is not finished, or has failed.
        scaled: numbers that are not compared because their training was scaled down.
    """

    gaps: tuple[float, ...]
    agreeing: int
    differing: tuple[str, ...]
    missing: int
    scaled: int

    @property
    def published(self) -> int:
        """How many published numbers have a cell in the run."""
        return len(self.gaps) + self.missing + self.scaled

    @property
    def judged(self) -> int:
        """How many are judged."""
        return self.agreeing + len(self.differing)

    @property
    def text(self) -> str:
        """The comparison in a few sentences."""
        parts = [f"{len(self.gaps)} are compared"] if self.gaps else []
        parts += [f"{self.scaled} are scaled and not compared"] if self.scaled else []
        parts += [f"{self.missing} are not finished"] if self.missing else []
        text = f"Of {self.published} published numbers, {', '.join(parts)}."
        if not self.gaps:
            return text
        text += f" Absolute difference: median {median(self.gaps):.3f}, largest {max(self.gaps):.3f}."
        if not self.judged:
            return f"{text} Whether they agree cannot be told without a second training seed."
        text += f" {self.agreeing} of {self.judged} agree: they lie where one more result of this run is expected"
        text += f" (95 %; by chance about {self.judged / 20:.0f} would not)." if self.judged >= 10 else " (95 %)."
        if self.differing:
            more = len(self.differing) - _NAMED
            text += f" Different: {'; '.join(self.differing[:_NAMED])}{f'; and {more} more' if more > 0 else ''}."
        return text


def agreement(cells: Sequence[Cell]) -> Agreement | None:
    """Return the comparison of all cells that have a published number, or None where none has."""
    published = list({id(cell): cell for cell in cells if cell.reference is not None}.values())
    if not published:
        return None
    full = [cell for cell in published if cell.scaled is None]
    compared = [cell for cell in full if cell.is_whole]
    gaps, differing, agreeing = [], [], 0
    for cell in compared:
        assert cell.mean is not None
        assert cell.reference is not None
        gaps.append(abs(cell.mean - cell.reference))
        values = _values(cell)
        if values is None:
            continue
        half = prediction_half(values)
        if gaps[-1] <= half + _ROUNDING:
            agreeing += 1
        else:
            place = f"{cell.dataset}, {cell.arm}, {cell.labels} labels, {cell.metric}"
            differing.append(f"{place}: {cell.mean:.3f} ± {half:.3f}, published {cell.reference:.3f}")
    return Agreement(tuple(gaps), agreeing, tuple(differing), len(full) - len(compared), len(published) - len(full))


def _values(cell: Cell) -> NDArray[np.float64] | None:
    """Return the values of a cell by training seed and label draw, (S, D); None where it has no second seed."""
    by_stage = {cell.stages[value.chance]: value.value for value in cell.values}
    found = crossed([cell])
    if found is None or found.numbers != (None,) or len(found.folds[0]) < 2:
        return None
    return np.array([[by_stage[stage] for (stage,) in draws] for draws in found.folds[0]], np.float64)
