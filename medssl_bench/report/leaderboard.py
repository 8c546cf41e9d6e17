"""The leaderboard of a suite: its tables, made from the store, and an overall ranking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medssl_bench.report.cells import Cell, Results, Value
from medssl_bench.report.printed import PrintedTable, printed
from medssl_bench.report.published import Published
from medssl_bench.report.ranking import Ranking, rank_arms
from medssl_bench.report.tables import AnalysisRow, Panel, TableResult

if TYPE_CHECKING:
    from medssl_bench.plan.stage import AnalysisCell, Plan, Trial
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Table


@dataclass
class Leaderboard:
    """All tables of a suite.

    Attributes:
        suite: name of the suite.
        tables: in the suite's order.
        rankings: arms by mean rank, over tables that are alike and no controls.
        scaled: factor on the epochs of all trainings when it is below 1, else None.
        licences: licence of each data set, by label.
    """

    suite: str
    tables: list[TableResult]
    rankings: list[Ranking]
    scaled: float | None = None
    licences: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, suite: Suite, plan: Plan, store: Store) -> Leaderboard:
        """Return the leaderboard of a plan from what a store holds."""
        results = Results(plan, store)
        tables = [_table(table, plan, results, suite) for table in suite.tables if _trials(plan, table)]
        controls = {table.id for table in suite.tables if table.model.shuffle_labels}
        return cls(
            suite=suite.name,
            tables=tables,
            rankings=rank_arms([table for table in tables if table.id not in controls]),
            scaled=plan.epochs_scale if plan.epochs_scale < 1 else None,
            licences={label: info.licence for label, info in plan.datasets.items() if info},
        )

    def cells(self) -> list[Cell]:
        """Return every cell of every table."""
        return [cell for table in self.tables for cell in table.cells()]

    def printed(self) -> list[PrintedTable]:
        """Return the tables that have a published shape, in it."""
        return [found for table in self.tables if (found := printed(table))]

    @property
    def is_empty(self) -> bool:
        """Whether no cell has a value."""
        return not any(cell.n for cell in self.cells())


def _trials(plan: Plan, table: Table) -> list[Trial]:
    return [trial for trial in plan.trials if trial.table == table.id]


def _table(table: Table, plan: Plan, results: Results, suite: Suite) -> TableResult:
    by_cell: dict[tuple[str, str, str], list[Trial]] = {}
    for trial in _trials(plan, table):
        by_cell.setdefault((trial.dataset, trial.arm, trial.labels), []).append(trial)
    published = Published.of(table, suite.plugins.registry)
    datasets = dict.fromkeys(dataset for dataset, _, _ in by_cell)
    panels = [
        _panel(table, dataset, metric, by_cell, results) for dataset in datasets for metric in table.model.metrics
    ]
    for panel in panels:
        for cell in panel.cells.values():
            cell.reference = published.value(cell)
    return TableResult(
        id=table.id,
        title=table.title,
        marks=_marks(table, plan),
        baseline=table.model.baseline,
        citation=published.reference.citation,
        panels=panels,
        analyses=_analyses(table, plan, results, published),
        layout=published.reference.layout,
        published=published.datasets,
        reference=published.name,
        arms=table.arms,
    )


def _panel(
    table: Table, dataset: str, metric: str, by_cell: dict[tuple[str, str, str], list[Trial]], results: Results
) -> Panel:
    here = {(arm, labels): trials for (name, arm, labels), trials in by_cell.items() if name == dataset}
    budgets = [budget.text for budget in table.labels if any(labels == budget.text for _, labels in here)]
    arms = [arm.name for arm in table.arms if any(name == arm.name for name, _ in here)]
    panel = Panel(dataset, metric, budgets, arms, {arm.name for arm in table.arms if arm.floor})
    for (arm, labels), trials in here.items():
        cell = results.cell(trials, metric)
        baseline = here.get((table.model.baseline or "", labels))
        if baseline and arm != table.model.baseline:
            cell.difference = results.difference(trials, baseline, metric)
        panel.cells[arm, labels] = cell
    return panel


def _analyses(table: Table, plan: Plan, results: Results, published: Published) -> list[AnalysisRow]:
    """Return one row for each encoder that was described: an arm's, or a fine-tuned arm's at a label budget."""
    places: dict[tuple[str, str, str | None], dict[str, AnalysisCell]] = {}
    for found in plan.analyses:
        if found.table == table.id:  # one stage under two draws is one value
            places.setdefault((found.arm, found.dataset, found.labels), {}).setdefault(found.stage, found)
    return [AnalysisRow(*place, _analysed(place, stages, results, published)) for place, stages in places.items()]


def _analysed(
    place: tuple[str, str, str | None], stages: dict[str, AnalysisCell], results: Results, published: Published
) -> dict[str, Cell]:
    arm, dataset, labels = place
    cells: dict[str, Cell] = {}
    for analysis in dict.fromkeys(found.analysis for found in stages.values()):
        here = {stage: found for stage, found in stages.items() if found.analysis == analysis}
        numbers = {stage: _numbers(results, stage) for stage in here}
        for metric in dict.fromkeys(metric for found in numbers.values() for metric in found):
            table = next(iter(here.values())).table
            cell = results.empty_cell(table, dataset, labels or "none", arm, metric)
            cell.expected = len(here)
            cell.failed = sum(results.has_failed(stage) for stage in here)
            cell.values = [
                Value(found.seed, found.draw or 0, numbers[stage][metric], results.flags(stage))
                for stage, found in here.items()
                if metric in numbers[stage]
            ]
            cell.reference = published.value(cell)
            cells[metric if metric not in cells else f"{analysis}_{metric}"] = cell
    return cells


def _numbers(results: Results, stage: str) -> dict[str, float]:
    record = results.record(stage)
    metrics = record.metrics if record else {}
    return {name: float(value) for name, value in metrics.items() if isinstance(value, int | float)}


def _marks(table: Table, plan: Plan) -> list[str]:
    """Return what a reader of the table must know before its numbers."""
    marks = []
    infos = [plan.datasets.get(dataset.label) for dataset in table.datasets]
    if any(info and info.generated for info in infos):
        marks.append("generated data")
    if plan.epochs_scale < 1:
        marks.append(f"SCALED: epochs x {plan.epochs_scale:g}, not comparable with a full run")
    if table.model.selection == "test":
        marks.append("SELECTED ON TEST: optimistic")
    elif table.model.selection == "last" or table.model.validation_labels.unit == "none":
        marks.append("last epoch, no validation labels")
    elif table.model.validation_labels.unit != "all":
        marks.append(f"{table.model.validation_labels.text} validation labels")
    if table.model.shuffle_labels:
        marks.append("control: shuffled labels")
    return marks
