"""What the data sets of a ranking say together of its arms, each data set once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.statistics.across import FEWEST, FEWEST_ARMS, Friedman, can_tell_pairs, friedman, wilcoxon_p
from medssl_bench.statistics.verdict import ALPHA, holm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from medssl_bench.results.cells import Cell


@dataclass(frozen=True)
class AgainstControl:
    """An arm against the baseline over data sets, by Wilcoxon's test.

    Attributes:
        arm: its name.
        ahead: on how many data sets it is better.
        p: p-value of no difference, adjusted for the arms (Holm).
    """

    arm: str
    ahead: int
    p: float


@dataclass(frozen=True)
class Across:
    """Tests across the data sets of a ranking.

    Attributes:
        comparisons: ids of the comparisons.
        datasets: labels of the data sets.
        arms: the arms that are compared: all but the floors.
        friedman: whether they differ; None where there are too few arms or data sets.
        control: the baseline that others are compared with; None where the comparisons have no common one.
        against_control: each other arm against it; nothing where there are too few data sets.
    """

    comparisons: tuple[str, ...]
    datasets: tuple[str, ...]
    arms: tuple[str, ...]
    friedman: Friedman | None = None
    control: str | None = None
    against_control: tuple[AgainstControl, ...] = ()

    @property
    def told_apart(self) -> dict[str, list[str]]:
        """The arms that each arm is ahead of (Nemenyi), best first; nothing where arms are not shown to differ."""
        found = self.friedman
        if found is None or found.f_p >= ALPHA:
            return {}
        order = sorted(range(len(self.arms)), key=lambda place: found.mean_ranks[place])
        behind = {
            self.arms[one]: [
                self.arms[other]
                for other in order
                if found.mean_ranks[other] - found.mean_ranks[one] > found.critical_difference
            ]
            for one in order
        }
        return {arm: others for arm, others in behind.items() if others}

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        found = asdict(self)
        return {name: found[name] for name in ("datasets", "arms", "friedman", "control", "against_control")}


def across(
    columns: Mapping[str, Sequence[Mapping[str, Cell]]],
    floors: set[str],
    control: str | None,
    comparisons: tuple[str, ...] = (),
) -> Across | None:
    """Return what data sets say together; None where there is one data set, or one arm beside the floors.

    The label budgets of a data set are nested draws of the same test images, so a data set is one row of values: the
    means over its columns, as far as they are printed. Floors are no part of it: that a method beats the majority class
    is not what is asked.

    Args:
        columns: for each data set its columns, in which every arm has all its values.
        floors: arms that are left out.
        control: the baseline, or None.
        comparisons: ids of the comparisons.
    """
    arms = tuple(arm for arm in next(iter(columns.values()))[0] if arm not in floors) if columns else ()
    if len(columns) < 2 or len(arms) < 2:
        return None
    rows = [np.mean([[column[arm].score or 0.0 for arm in arms] for column in found], 0) for found in columns.values()]
    values = np.round(rows, 6)  # means that are equal stay so, whatever the order of their budgets
    found = friedman(values) if len(arms) >= FEWEST_ARMS and len(rows) >= FEWEST else None
    control = control if control in arms else None
    return Across(comparisons, tuple(columns), arms, found, control, _against(values, arms, control))


def _against(values: NDArray[np.float64], arms: tuple[str, ...], control: str | None) -> tuple[AgainstControl, ...]:
    """Return each arm against the control; nothing where no number of the data could tell any of them."""
    if control is None or not can_tell_pairs(len(arms) - 1, len(values)):
        return ()
    gaps = {arm: values[:, place] - values[:, arms.index(control)] for place, arm in enumerate(arms) if arm != control}
    adjusted = holm([wilcoxon_p(gap) for gap in gaps.values()])
    return tuple(
        AgainstControl(arm, int((gap > 0).sum()), p) for (arm, gap), p in zip(gaps.items(), adjusted, strict=True)
    )
