"""Rankings of arms over the columns of the tables that compare the same arms."""

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
            of their ranks. Means are equal if they are printed alike.
        wins: in how many columns it is the best, or as good as the best.
        columns: how many columns (data set x label budget) count.
    """

    arm: str
    mean_rank: float
    wins: int
    columns: int


@dataclass(frozen=True)
class Ranking:
    """The arms of one or more tables by mean rank.

    Attributes:
        tables: titles of the tables.
        marks: the marks that they have.
        metric: the metric that arms are ranked by.
        ranks: best first.
    """

    tables: tuple[str, ...]
    marks: tuple[str, ...]
    metric: str
    ranks: tuple[Rank, ...]


def rank_arms(tables: list[TableResult]) -> list[Ranking]:
    """Return one ranking for each group of tables that are alike: same arms, marks and first metric.

    A rank among some arms says nothing of a rank among others, nor one on generated data of one on real data. Only
    columns in which every arm has all its numbers count.
    """
    groups: list[list[TableResult]] = []
    for table in tables:
        alike = [group for group in groups if _alike(group[0], table)]
        if alike:
            alike[0].append(table)
        else:
            groups.append([table])
    return [ranking for group in groups if (ranking := _ranking(group)).ranks]


def _alike(one: TableResult, other: TableResult) -> bool:
    return (one.arms, _own_marks(one), one.panels[0].metric) == (other.arms, _own_marks(other), other.panels[0].metric)


def _own_marks(table: TableResult) -> list[str]:
    """Return the marks of a table that do not come from its data alone."""
    return [mark for mark in table.marks if mark not in table.leaks]


def _ranking(tables: list[TableResult]) -> Ranking:
    metric = tables[0].panels[0].metric
    columns = [
        ranks
        for table in tables
        for panel in table.panels
        if panel.metric == metric
        for budget in panel.budgets
        if (ranks := _ranks(panel, budget))
    ]
    found = []
    for arm in dict.fromkeys(arm for ranks in columns for arm in ranks):
        wins = sum(ranks[arm] == min(ranks.values()) for ranks in columns)
        found.append(Rank(arm, mean(ranks[arm] for ranks in columns), wins, len(columns)))
    found.sort(key=lambda rank: (rank.mean_rank, rank.arm))
    marks = dict.fromkeys(mark for table in tables for mark in table.marks)
    return Ranking(tuple(table.title for table in tables), tuple(marks), metric, tuple(found))


def _ranks(panel: Panel, budget: str) -> dict[str, float]:
    """Return the rank of each arm in a column, or nothing where a number is missing."""
    means: dict[str, float] = {}
    for arm in panel.arms:
        cell = panel.cells.get((arm, budget))
        if cell is None or cell.printed is None or cell.n < cell.expected:
            return {}
        means[arm] = cell.printed
    return {
        arm: 1 + sum(other > value for other in means.values()) + (list(means.values()).count(value) - 1) / 2
        for arm, value in means.items()
    }
