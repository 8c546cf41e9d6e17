"""What the values of a cell allow to be said: its interval, and its verdict against the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from medssl_bench.statistics.one_run import OneRun, reruns_won

if TYPE_CHECKING:
    from medssl_bench.statistics.design import Design
    from medssl_bench.statistics.interval import Estimate
    from medssl_bench.statistics.verdict import Verdict


@dataclass(frozen=True)
class Judged:
    """What can be said of a cell.

    Attributes:
        own: its mean with the variance for other seeds, draws and test images; None where there is no interval.
        difference: its difference to the baseline, likewise.
        verdict: what is said of that difference; None where nothing is: the baseline itself, floors, metrics but the
            first one, and columns that are not finished.
        needed: numbers of seeds and draws that would tell, where the verdict is that it cannot be told.
        too_few: what there is too little of where no number that is proposed would tell: test ``images``, which no run
            mends, or ``runs``; else an empty string.
        among_best: whether it is the best of its column, or not told apart from it; None where there are no verdicts.
        family: how many arms of the column its verdict is adjusted for, those that have failed among them.
        why: why there is no interval, or an empty string.
    """

    own: Estimate | None = None
    difference: Estimate | None = None
    verdict: Verdict | None = None
    needed: Design | None = None
    too_few: Literal["", "images", "runs"] = ""
    among_best: bool | None = None
    family: int = 0
    why: str = ""

    @property
    def told(self) -> str:
        """The verdict in words; nothing where there is one training seed, as then every one would be the same."""
        alone = self.difference is not None and "seed" in self.difference.fixed
        return self.verdict.text if self.verdict is not None and not alone else ""

    def to_data(self, *, higher_is_better: bool) -> dict[str, Any]:
        """Return it as JSON-able data; intervals are at 95 %, deviations are of the difference of one run."""
        low, high = self.own.interval() if self.own else (None, None)
        difference_low, difference_high = self.difference.interval() if self.difference else (None, None)
        told = self.difference
        parts = OneRun.of(told) if told else None
        won = reruns_won(told, higher_is_better=higher_is_better) if told else None
        return {
            "low": low,
            "high": high,
            "difference_low": difference_low,
            "difference_high": difference_high,
            "df": told.freedom if told else None,
            "p": told.p if told else None,
            "p_holm": self.verdict.p if self.verdict else None,
            "verdict": self.told or None,
            "among_best": self.among_best,
            "needed_seeds": self.needed.seeds if self.needed else None,
            "needed_draws": self.needed.draws if self.needed else None,
            "reruns_won": won,
            **{f"sd_{name}": getattr(parts, name, None) for name in ("seed", "draw", "cell", "image")},
            "left_out": sorted(self.difference.fixed if self.difference else self.own.fixed if self.own else ()),
            "no_interval": self.why,
        }
