"""The leaderboard of a suite: its tables, made from the store, and an overall ranking."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

from medssl_bench.plan.chance import Chance
from medssl_bench.results.cells import Cell, Results
from medssl_bench.results.chosen import with_chosen
from medssl_bench.results.counts import Counts
from medssl_bench.results.growth import growth
from medssl_bench.results.intervals import Intervals
from medssl_bench.results.judging import Judging
from medssl_bench.results.label_efficiency import LabelEfficiency, label_efficiency
from medssl_bench.results.leaks import leaks_of
from medssl_bench.results.optimism import optimism_of
from medssl_bench.results.pairing import compare
from medssl_bench.results.price import Price, prices_of
from medssl_bench.results.printed import PrintedTable, printed
from medssl_bench.results.published_values import Published
from medssl_bench.results.ranking import Ranking, rank_arms
from medssl_bench.results.robustness import Robustness, robustness_of
from medssl_bench.results.selection import SelectedBy
from medssl_bench.results.tables import AnalysisRow, Panel, TableResult
from medssl_bench.results.transfers import Transfer, transfers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray
    from pandas import DataFrame

    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Table


SHUFFLED = "control: shuffled labels"
"""The mark of a comparison in which there is nothing to learn."""


@dataclass(repr=False)
class Leaderboard:
    """All tables of a suite.

    Attributes:
        suite: name of the suite.
        tables: in the suite's order.
        rankings: arms by mean rank, over tables that are alike and no controls.
        prices: what pretrainings gain and cost, of tables that are no controls.
        robustness: what classifiers measure on corrupted test images, by comparison and data set.
        transfers: likewise on the test images of other data sets.
        scaled: factor on the epochs of all trainings when it is below 1, else None.
        licences: licence of each data set, by label.
        counts: how many of its results are there, failed, and are blocked.
        intervals: computes the interval of any contrast of its cells; None where nothing is judged.
    """

    suite: str
    tables: list[TableResult]
    rankings: list[Ranking]
    prices: list[Price] = field(default_factory=list)
    robustness: list[Robustness] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    scaled: float | None = None
    licences: dict[str, str] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    intervals: Intervals | None = None

    @classmethod
    def of(
        cls,
        suite: Suite,
        plan: Plan,
        store: Store,
        without: Mapping[str, NDArray[np.int64]] | None = None,
        *,
        judged: bool = True,
    ) -> Self:
        """Return the leaderboard of a plan from what a store holds.

        Args:
            suite: the suite.
            plan: its plan.
            store: where its results are.
            without: places of test images that count for no metric, by the `key` of the `DatasetSpec`, as a fold has
                test images of its own; the tables say so.
            judged: whether intervals and verdicts are computed, for which the predictions of every result are read;
                without them a table that is drawn again and again is drawn at once.
        """
        whole = plan
        suite, plan = with_chosen(suite, plan, store)
        results = Results(plan, store, without)
        metrics = {name: metric for table in suite.tables for name, metric in table.metrics.items()}
        intervals = Intervals(plan, store, results, metrics) if judged else None
        on_all = Results(plan, store) if without else results  # classifiers met all corrupted images
        tables = [
            _table(table, plan, results, suite, store, intervals) for table in suite.tables if _trials(plan, table)
        ]
        controls = {table.id for table in suite.tables if table.model.shuffle_labels}
        compared = [table for table in tables if table.id not in controls]
        registry = suite.plugins.registry
        return cls(
            suite=suite.name,
            tables=tables,
            rankings=rank_arms(compared, intervals),
            prices=[price for table in compared for price in prices_of(table, plan, results, registry)],
            robustness=[] if intervals is None else robustness_of(suite, plan, on_all, intervals),
            transfers=[] if intervals is None else transfers_of(suite, plan, results, intervals),
            scaled=plan.epochs_scale if plan.epochs_scale < 1 else None,
            licences={label: info.licence for label, info in plan.datasets.items() if info},
            counts=Counts.of(whole, results),
            intervals=intervals,
        )

    def cells(self) -> list[Cell]:
        """Return every cell of every table."""
        return [cell for table in self.tables for cell in table.cells()]

    def to_frame(self) -> DataFrame:
        """Return the numbers as a pandas DataFrame, with the columns and the lines that CSV has.

        A line is one value: its cell (comparison, dataset, labels, arm, metric), its `seed`, `draw` and `fold`, its
        `value`, and what holds of the cell (`n`, `mean`, `std`, ...). A cell that has no value yet has one line without
        one.

        Raises:
            UserError: pandas is not installed.
        """
        from medssl_bench.results.frame import to_frame

        return to_frame(self)

    def __repr__(self) -> str:
        cells = self.cells()
        filled, tables = sum(cell.n > 0 for cell in cells), len(self.tables)
        scaled = f", SCALED: epochs x {self.scaled:g}" if self.scaled is not None else ""
        noun = "comparison" if tables == 1 else "comparisons"
        return f"<Leaderboard of {self.suite!r}: {tables} {noun}, {filled} of {len(cells)} cells have values{scaled}>"

    @cached_property
    def label_efficiency(self) -> list[LabelEfficiency]:
        """How many labels arms save, of tables that are no controls; computed when it is asked for."""
        compared = [table for table in self.tables if SHUFFLED not in table.marks]
        return [found for table in compared for found in label_efficiency(table, self.intervals)]

    def printed(self) -> list[PrintedTable]:
        """Return the tables that have a published shape, in it; made once."""
        return self._printed

    @cached_property
    def _printed(self) -> list[PrintedTable]:
        return [found for table in self.tables if (found := printed(table, self.intervals))]

    @property
    def is_empty(self) -> bool:
        """Whether no cell has a value."""
        return not any(cell.n for cell in self.cells())


def _trials(plan: Plan, table: Table) -> list[Trial]:
    return [trial for trial in plan.trials if trial.table == table.id]


def _table(
    table: Table, plan: Plan, results: Results, suite: Suite, store: Store, intervals: Intervals | None
) -> TableResult:
    leaks = leaks_of(table, plan, store, results)
    marks = [f"{label}: {line}" for label, lines in leaks.items() for line in lines]
    by_cell: dict[tuple[str, str, str], list[Trial]] = {}
    for trial in _trials(plan, table):
        by_cell.setdefault((trial.dataset, trial.arm, trial.labels), []).append(trial)
    published = Published.of(table, suite.plugins.registry)
    selection = SelectedBy.of(table, plan, suite.plugins.registry, results.record)
    datasets = dict.fromkeys(dataset for dataset, _, _ in by_cell)
    shown = {arm for _, arm, _ in by_cell}
    panels = [
        _panel(table, dataset, metric, by_cell, results) for dataset in datasets for metric in table.model.metrics
    ]
    if intervals and not table.model.shuffle_labels:  # else each draw has test labels of its own
        Judging(table, intervals).judge(*panels)
    for panel in panels:
        for cell in panel.cells.values():
            cell.reference = published.value(cell)
            cell.selection = selection.cell(cell.arm, cell.dataset)
            cell.leaks = "; ".join(leaks.get(cell.dataset, ()))
    cells = [cell for panel in panels for labels in panel.budgets for cell in panel.column(labels).values()]
    return TableResult(
        id=table.id,
        title=table.title,
        marks=[*_marks(table, plan, selection), *marks],
        selection=selection,
        leaks=tuple(marks),
        baseline=table.model.baseline,
        citation=published.reference.citation,
        panels=panels,
        analyses=_analyses(table, plan, results, published, selection),
        layout=published.reference.layout,
        published=published.datasets,
        reference=published.name,
        arms=tuple(arm for arm in table.arms if not arm.variant_of or arm.name in shown),
        margin=table.model.margin,
        holm=table.model.holm,
        added=growth(table, by_cell.values(), results.record) if intervals else "",
        optimism=optimism_of(cells, results, store) if table.model.spy else [],
    )


def _panel(
    table: Table, dataset: str, metric: str, by_cell: dict[tuple[str, str, str], list[Trial]], results: Results
) -> Panel:
    here = {(arm, labels): trials for (name, arm, labels), trials in by_cell.items() if name == dataset}
    budgets = [budget.text for budget in table.labels if any(labels == budget.text for _, labels in here)]
    arms = [arm.name for arm in table.arms if any(name == arm.name for name, _ in here)]
    panel = Panel(dataset, metric, budgets, arms, {arm.name for arm in table.arms if arm.floor})
    for (arm, labels), trials in here.items():
        if (arm, metric) not in table.not_measured:
            panel.cells[arm, labels] = results.cell(trials, metric, table.metrics.get(metric))
    compare(panel.cells, table.model.baseline)
    return panel


def _analyses(
    table: Table, plan: Plan, results: Results, published: Published, selection: SelectedBy
) -> list[AnalysisRow]:
    """Return one row for each encoder that was described: an arm's, or one that labels shaped at a label budget."""
    draws = list(dict.fromkeys(trial.draw for trial in _trials(plan, table)))
    rows: dict[tuple[str, str, str | None], dict[str, dict[Chance, str]]] = {}
    for found in plan.analyses:
        if found.table == table.id:
            here = rows.setdefault((found.arm, found.dataset, found.labels), {}).setdefault(found.analysis, {})
            for draw in draws if found.draw is None else [found.draw]:  # without labels it is the same for every draw
                here[Chance(found.seed, draw, found.fold)] = found.stage
    return [
        AnalysisRow(*place, _analysed(table.id, place, analyses, results, published, selection))
        for place, analyses in rows.items()
    ]


def _analysed(
    table: str,
    place: tuple[str, str, str | None],
    analyses: dict[str, dict[Chance, str]],
    results: Results,
    published: Published,
    selection: SelectedBy,
) -> dict[str, Cell]:
    arm, dataset, labels = place
    cells: dict[str, Cell] = {}
    for analysis, stages in analyses.items():
        records = [record for stage in stages.values() if (record := results.record(stage))]
        numbers = [name for each in records for name, value in each.metrics.items() if isinstance(value, int | float)]
        for metric in dict.fromkeys(numbers):
            cell = results.empty_cell(table, dataset, labels or "none", arm, metric)
            cells[metric if metric not in cells else f"{analysis}_{metric}"] = cell
            results.fill(cell, stages)
            cell.reference = published.value(cell)
            if labels is not None:
                cell.selection = selection.cell(arm, dataset)
    return cells


def _marks(table: Table, plan: Plan, selection: SelectedBy) -> list[str]:
    """Return what a reader of the table must know before its numbers."""
    marks = []
    infos = [plan.datasets.get(dataset.label) for dataset in table.datasets]
    if any(info and info.generated for info in infos):
        marks.append("generated data")
    if plan.epochs_scale < 1:
        marks.append(f"SCALED: epochs x {plan.epochs_scale:g}, not comparable with a full run")
    marks.append(selection.mark)
    marks += [f"{arm.name}: {arm.problem}" for arm in table.arms if arm.problem]
    if folds := {trial.fold for trial in _trials(plan, table)} - {None}:
        number = str(table.folds) if len(folds) == table.folds else f"{len(folds)} of {table.folds}"
        marks.append(f"{number} folds, not the sets' own splits")
    if table.model.shuffle_labels:
        marks.append(SHUFFLED)
    return marks
