"""The overall ranking of arms over all tables."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medssl_bench.report.tables import Panel, TableResult


@dataclass(frozen=True)
class Rank:
    """An arm's place.

    Attributes:
        arm: name of the arm.
        mean_rank: mean over columns of its rank among the arms of the column; 1 is best, equal arms share the mean
            of their ranks.
        wins: in how many columns it is the best, or as good as the best.
        columns: in how many columns (data set x label budget) it has a number.
    """

    arm: str
    mean_rank: float
    wins: int
    columns: int


def rank_arms(tables: list[TableResult]) -> list[Rank]:
    """Return the arms by mean rank on the first metric of each table, best first.

    Only columns in which every arm has all its numbers count: a rank among some of the arms is not one among all.
    """
    columns = [
        ranks
        for table in tables
        for panel in table.panels
        if panel.metric == table.panels[0].metric
        for budget in panel.budgets
        if (ranks := _ranks(panel, budget))
    ]
    found = []
    for arm in dict.fromkeys(arm for ranks in columns for arm in ranks):
        here = [ranks for ranks in columns if arm in ranks]
        wins = sum(ranks[arm] == min(ranks.values()) for ranks in here)
        found.append(Rank(arm, mean(ranks[arm] for ranks in here), wins, len(here)))
    return sorted(found, key=lambda rank: (rank.mean_rank, rank.arm))


def _ranks(panel: Panel, budget: str) -> dict[str, float]:
    """Return the rank of each arm in a column, or nothing where a number is missing."""
    means: dict[str, float] = {}
    for arm in panel.arms:
        cell = panel.cells.get((arm, budget))
        if cell is None or cell.mean is None or cell.n < cell.expected:
            return {}
        means[arm] = cell.mean
    return {
        arm: 1 + sum(other > value for other in means.values()) + (list(means.values()).count(value) - 1) / 2
        for arm, value in means.items()
    }
