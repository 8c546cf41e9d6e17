"""How many numbers of a run agree with the published ones.

A published number is one value: one seed, one draw. It agrees if it lies in the interval in which one more value like
the run's own is expected with 95 % probability: mean ± t s sqrt(1 + 1/n) over the run's n values, Student's t with
n - 1 degrees of freedom. With one value there is no such interval, and it cannot be told. Scaled results are not
compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.report.cells import Cell

PROBABILITY = 0.95


@dataclass(frozen=True)
class Agreement:
    """The comparison of a run with published numbers.

    Attributes:
        agree: numbers whose interval holds the published one.
        differ: numbers whose interval does not.
        untold: numbers of one value.
        missing: published numbers of which the run has none yet.
        scaled: numbers that are not compared because their training was scaled down.
        median_gap: median absolute difference over the numbers that are compared, or None.
    """

    agree: int
    differ: int
    untold: int
    missing: int
    scaled: int
    median_gap: float | None

    @property
    def published(self) -> int:
        """How many published numbers have a cell in the run."""
        return self.agree + self.differ + self.untold + self.missing + self.scaled

    @property
    def text(self) -> str:
        """The comparison in one sentence."""
        told = self.agree + self.differ
        parts = [f"{self.agree} of {told} agree with the published ones"] if told else []
        parts += [f"{self.untold} cannot be told (one value each)"] if self.untold else []
        parts += [f"{self.scaled} are scaled and not compared"] if self.scaled else []
        parts += [f"{self.missing} are not there yet"] if self.missing else []
        gap = "" if self.median_gap is None else f"; median absolute difference {self.median_gap:.3f}"
        return f"Of {self.published} numbers that were published, {', '.join(parts)}{gap}."


def agreement(cells: Sequence[Cell]) -> Agreement | None:
    """Return the comparison of all cells that have a published number, or None where none has."""
    published = {id(cell): cell for cell in cells if cell.reference is not None}
    if not published:
        return None
    verdicts = [_verdict(cell) for cell in published.values()]
    gaps = [
        abs(cell.mean - cell.reference)
        for cell in published.values()
        if cell.mean is not None and cell.reference is not None and cell.scaled is None
    ]
    return Agreement(
        **{name: verdicts.count(name) for name in ("agree", "differ", "untold", "missing", "scaled")},
        median_gap=median(gaps) if gaps else None,
    )


def _verdict(cell: Cell) -> str:
    if cell.mean is None or cell.reference is None:
        return "missing"
    if cell.scaled is not None:
        return "scaled"
    if cell.std is None:
        return "untold"
    from scipy.stats import t

    half = float(t.ppf(0.5 + PROBABILITY / 2, cell.n - 1)) * cell.std * sqrt(1 + 1 / cell.n)
    return "agree" if abs(cell.mean - cell.reference) <= half else "differ"
