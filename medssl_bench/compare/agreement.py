"""How far the numbers of a run are from the published ones.

A published number is one value: one seed, one draw. Whether it agrees with the run's is not judged: that needs an
interval for seeds, draws and test images together, and there is none yet. What is given is the absolute difference of
each number to the run's mean, and how far the run's own values spread. Scaled results are not compared, nor cells some
of whose values are missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.results.cells import Cell

NOT_JUDGED = "not judged: no interval for seeds, draws and images yet"
"""What stands where a verdict would, of claims and of agreement."""


@dataclass(frozen=True)
class Agreement:
    """The comparison of a run with published numbers.

    Attributes:
        gaps: absolute difference of each number that is compared, in the order of the cells.
        spreads: standard deviation of the run's values of those that have two or more.
        single: how many of those that are compared rest on one value.
        missing: published numbers whose cell in the run is not finished, or has failed.
        scaled: numbers that are not compared because their training was scaled down.
    """

    gaps: tuple[float, ...]
    spreads: tuple[float, ...]
    single: int
    missing: int
    scaled: int

    @property
    def published(self) -> int:
        """How many published numbers have a cell in the run."""
        return len(self.gaps) + self.missing + self.scaled

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
        if self.spreads:
            text += f" Standard deviation of this run's values: median {median(self.spreads):.3f}"
            text += f"; {self.single} rest on one value." if self.single else "."
        else:
            text += " Each of this run's numbers rests on one value, so it has no standard deviation."
        return f"{text} Agreement is {NOT_JUDGED}."


def agreement(cells: Sequence[Cell]) -> Agreement | None:
    """Return the comparison of all cells that have a published number, or None where none has."""
    published = list({id(cell): cell for cell in cells if cell.reference is not None}.values())
    if not published:
        return None
    full = [cell for cell in published if cell.scaled is None]
    compared = [cell for cell in full if cell.is_whole]
    pairs = [(cell.mean, cell.reference) for cell in compared]
    return Agreement(
        gaps=tuple(abs(own - theirs) for own, theirs in pairs if own is not None and theirs is not None),
        spreads=tuple(cell.std for cell in compared if cell.std is not None),
        single=sum(cell.n == 1 for cell in compared),
        missing=len(full) - len(compared),
        scaled=len(published) - len(full),
    )
