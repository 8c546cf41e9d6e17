"""A contrast of a claim on one data set at one label budget: its estimate, its interval, and how it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from medssl_bench.results.formats.text import repetitions
from medssl_bench.statistics.claim import is_refuted, is_shown

if TYPE_CHECKING:
    from medssl_bench.published.claims import Condition
    from medssl_bench.results.cells import Cell
    from medssl_bench.statistics.interval import Estimate

Side = Literal["in favour", "against"]


@dataclass(frozen=True)
class Contrast:
    """A condition of a claim on one data set at one label budget.

    Attributes:
        dataset: name of the data set as it was published.
        label: what the suite calls the data set, or an empty string where it is not in the run.
        stands_in: whether other data take the data set's place in the run.
        labels: text of the label budget.
        text: the contrast and what is said of it, in words.
        found: the contrast as a cell, one value for each seed and draw that its cells share; None where a cell of it is
            not in the run.
        side: on which side of the margin the estimate is, whatever chance may have to do with it; None without one.
        marks: what a reader must know of the tables that its cells are of.
        published: the contrast of the published cells, or None.
        published_side: the side of the published contrast, one seed; None where there is none.
        condition: what is claimed of it.
        interval: its mean with the variance; or why there is none.
    """

    dataset: str
    label: str
    stands_in: bool
    labels: str
    text: str
    found: Cell | None
    side: Side | None
    marks: tuple[str, ...]
    published: float | None
    published_side: Side | None
    condition: Condition
    interval: Estimate | str

    @property
    def estimate(self) -> float | None:
        """Mean over the pairs, or None."""
        return self.found.mean if self.found else None

    @property
    def spread(self) -> float | None:
        """Sample standard deviation over the pairs, or None for fewer than two."""
        return self.found.std if self.found else None

    @property
    def pairs(self) -> str:
        """How many pairs of what: ``9 (3 training seeds x 3 label draws)``."""
        return repetitions(self.found) if self.found else "0"

    @property
    def why(self) -> str:
        """Why there is no whole estimate, or an empty string."""
        if self.found is None:
            return "not in this run"
        if not self.found.expected:
            return "its arms share no seed and draw"
        if self.found.lost:
            return "some of its trials failed or are blocked"
        return "" if self.found.is_whole else "not finished"

    @property
    def judged(self) -> Estimate | None:
        """The estimate that it is judged by; None where it cannot be."""
        return None if self.not_judged or isinstance(self.interval, str) else self.interval

    @property
    def not_judged(self) -> str:
        """Why it is not judged, or an empty string."""
        if self.why:
            return self.why
        if self.found is not None and self.found.scaled is not None:
            return "scaled, so not judged"
        if isinstance(self.interval, str):
            return f"no interval: {self.interval}"
        return "one training seed, so not judged" if "seed" in self.interval.fixed else ""

    @property
    def is_shown(self) -> bool:
        """Whether it is shown to be on the side of the margin that is claimed."""
        given = self.condition
        return self.judged is not None and is_shown(self.judged, given.direction, given.margin)

    def is_refuted(self, contrasts: int) -> bool:
        """Return whether it is shown to be on the other side, as one of so many contrasts of a claim."""
        given = self.condition
        return self.judged is not None and is_refuted(self.judged, given.direction, given.margin, contrasts)
