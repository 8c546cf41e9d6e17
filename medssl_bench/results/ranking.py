"""Rankings of arms over the data sets of the tables that compare the same arms."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from statistics import mean
from typing import TYPE_CHECKING, Any

from medssl_bench.results.across import Across, across
from medssl_bench.results.resampled_ranks import resampled_ranks

if TYPE_CHECKING:
    from medssl_bench.results.cells import Cell
    from medssl_bench.results.intervals import Intervals
    from medssl_bench.results.tables import Panel, TableResult


@dataclass(frozen=True)
class Rank:
    """An arm's place.

    Attributes:
        arm: name of the arm.
        mean_rank: mean over data sets of its rank there, which is the mean over label budgets of its rank among the
            arms of the column; 1 is best, equal arms share the mean of their ranks. Means are equal if they are
            printed alike.
        wins: on how many data sets no arm has a lower rank.
        datasets: how many data sets count.
        worst_rank: its highest rank in any column, which is a label budget of a data set.
        low: lower end of the 95 % interval of the mean rank, for other seeds, draws and test images; None without one.
        high: upper end.
        first: how often it would have the best mean rank, from 0 to 1.
    """

    arm: str
    mean_rank: float
    wins: int
    datasets: int
    worst_rank: float
    low: float | None = None
    high: float | None = None
    first: float | None = None

    def to_data(self) -> dict[str, Any]:
        """Return the place as JSON-able data."""
        return asdict(self)


@dataclass(frozen=True)
class Ranking:
    """The arms of one or more tables by mean rank.

    Attributes:
        tables: titles of the tables.
        marks: the marks that they have.
        metric: the metric that arms are ranked by.
        ranks: best first.
        budgets: label budgets that count, by data set.
        columns: how many columns count: each is a label budget of a data set in a table.
        left_out: kinds of chance that the intervals lack, as they were not varied: ``seed``, ``draw``.
        across: tests across its data sets; None where there is one data set, or one arm beside the floors.
    """

    tables: tuple[str, ...]
    marks: tuple[str, ...]
    metric: str
    ranks: tuple[Rank, ...]
    budgets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    columns: int = 0
    left_out: tuple[str, ...] = ()
    across: Across | None = None

    @property
    def safest(self) -> tuple[Rank, ...]:
        """The arms with the best worst rank, of these the ones with the best mean rank; none over a single column."""
        if self.columns < 2:
            return ()
        least = min((rank.worst_rank, round(rank.mean_rank, 2)) for rank in self.ranks)
        return tuple(rank for rank in self.ranks if (rank.worst_rank, round(rank.mean_rank, 2)) == least)

    def to_data(self) -> dict[str, Any]:
        """Return the ranking as JSON-able data."""
        return {
            "tables": list(self.tables),
            "marks": list(self.marks),
            "metric": self.metric,
            "budgets": {dataset: list(budgets) for dataset, budgets in self.budgets.items()},
            "columns": self.columns,
            "left_out": list(self.left_out),
            "ranks": [rank.to_data() for rank in self.ranks],
            "safe_choice": [rank.arm for rank in self.safest],
            "across": self.across.to_data() if self.across else None,
        }


def rank_arms(tables: list[TableResult], intervals: Intervals | None = None) -> list[Ranking]:
    """Return one ranking for each group of tables that are alike: same arms, marks and first metric.

    A rank among some arms says nothing of a rank among others, nor one on generated data of one on real data. Only
    columns in which every arm has all its numbers count. Label budgets of a data set are nested, and their test images
    are the same ones, so they are no repetitions of each other: a data set counts once, with the mean over its budgets.

    An arm alone, as `--only` may leave it, has no rank.

    Args:
        tables: to rank.
        intervals: where values by seed, draw and test image come from; None: there are neither intervals nor tests.
    """
    groups: list[list[TableResult]] = []
    for table in tables:
        alike = [group for group in groups if _alike(group[0], table)]
        if alike:
            alike[0].append(table)
        else:
            groups.append([table])
    return [ranking for group in groups if len((ranking := _ranking(group, intervals)).ranks) > 1]


def _alike(one: TableResult, other: TableResult) -> bool:
    if (one.selection is None) != (other.selection is None):
        return False
    like = one.selection is None or other.selection is None or one.selection.is_like(other.selection)
    return like and _settings(one) == _settings(other)


def _settings(table: TableResult) -> tuple[object, ...]:
    of_data = {*table.leaks, table.selection.mark if table.selection else None}
    own = [mark for mark in table.marks if mark not in of_data]
    return table.arms, own, table.panels[0].metric


def _ranking(tables: list[TableResult], intervals: Intervals | None) -> Ranking:
    metric = tables[0].panels[0].metric
    columns: dict[str, dict[tuple[str, str], dict[str, float]]] = {}
    cells: dict[str, list[dict[str, Cell]]] = {}
    for table in tables:
        for panel in table.panels:
            for budget in panel.budgets if panel.metric == metric else ():
                if ranks := _ranks(panel, budget):
                    columns.setdefault(panel.dataset, {})[table.id, budget] = ranks
                    cells.setdefault(panel.dataset, []).append(panel.column(budget))
    by_dataset = {
        dataset: {arm: mean(ranks[arm] for ranks in found.values()) for arm in next(iter(found.values()))}
        for dataset, found in columns.items()
    }
    every = [ranks for found in columns.values() for ranks in found.values()]
    ranked = []
    for arm in dict.fromkeys(arm for ranks in by_dataset.values() for arm in ranks):
        wins = sum(ranks[arm] == min(ranks.values()) for ranks in by_dataset.values())
        average = mean(ranks[arm] for ranks in by_dataset.values())
        ranked.append(Rank(arm, average, wins, len(by_dataset), max(ranks[arm] for ranks in every)))
    left_out: tuple[str, ...] = ()
    if intervals and ranked and (chance := resampled_ranks(list(cells.values()), intervals)):
        ranked = [_with_chance(rank, *chance.of(rank.arm)) for rank in ranked]
        left_out = chance.left_out
    ranked.sort(key=lambda rank: (rank.mean_rank, rank.arm))
    budgets = {dataset: tuple(dict.fromkeys(budget for _, budget in found)) for dataset, found in columns.items()}
    titles = tuple(table.title for table in tables)
    together = _across(tables, cells) if intervals else None
    return Ranking(titles, _marks(tables), metric, tuple(ranked), budgets, len(every), left_out, together)


def _across(tables: list[TableResult], columns: dict[str, list[dict[str, Cell]]]) -> Across | None:
    floors = {arm for table in tables for panel in table.panels for arm in panel.floors}
    baselines = {table.baseline for table in tables}
    control = next(iter(baselines)) if len(baselines) == 1 else None
    return across(columns, floors, control, tuple(table.id for table in tables))


def _with_chance(rank: Rank, low: float, high: float, first: float) -> Rank:
    return replace(rank, low=low, high=high, first=first)


def _marks(tables: list[TableResult]) -> tuple[str, ...]:
    """Return the marks of the tables; that of validation labels with the numbers of all their data sets."""
    first = tables[0]
    leaks = [leak for table in tables for leak in table.leaks]
    if first.selection is None:
        return tuple(dict.fromkeys([*first.marks, *leaks]))
    whole = first.selection
    for table in tables[1:]:
        whole = whole.with_data_of(table.selection) if table.selection else whole
    marks = [whole.mark if mark == first.selection.mark else mark for mark in first.marks]
    return tuple(dict.fromkeys([*marks, *leaks]))


def _ranks(panel: Panel, budget: str) -> dict[str, float]:
    """Return the rank of each arm in a column, or nothing where a number is missing."""
    means: dict[str, float] = {}
    for arm in panel.arms:
        cell = panel.cells.get((arm, budget))
        if cell is None or cell.score is None or not cell.is_whole:
            return {}
        means[arm] = cell.score
    return {
        arm: 1 + sum(other > value for other in means.values()) + (list(means.values()).count(value) - 1) / 2
        for arm, value in means.items()
    }
