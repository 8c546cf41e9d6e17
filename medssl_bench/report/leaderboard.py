"""The leaderboard of a suite: its tables, made from the store, and an overall ranking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from medssl_bench.report.cells import Cell, Results
from medssl_bench.report.ranking import Rank, rank_arms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Table

METRIC_NAMES = {"accuracy": "accuracy", "auroc": "AUROC", "balanced_accuracy": "balanced accuracy"}


@dataclass(frozen=True)
class AnalysisRow:
    """What an analysis found of one arm's encoders on one data set, by metric; each a cell over seeds (and draws)."""

    arm: str
    dataset: str
    labels: str | None
    metrics: dict[str, Cell]


@dataclass
class Panel:
    """The part of a table that shows one data set and one metric: arms by label budgets.

    Attributes:
        dataset: label of the data set.
        metric: name of the metric.
        budgets: texts of the label budgets, in order.
        arms: names of the arms, in order, floors first.
        floors: names of the arms that are floors.
        cells: by arm and budget; a cell that is left out is missing.
    """

    dataset: str
    metric: str
    budgets: list[str]
    arms: list[str]
    floors: set[str]
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def best(self, budget: str) -> set[str]:
        """Return the arms with the highest mean in a column, as far as it is printed; none while it is incomplete."""
        column = {arm: self.cells[arm, budget] for arm in self.arms if (arm, budget) in self.cells}
        known = {arm: round(cell.mean, 3) for arm, cell in column.items() if cell.mean is not None}
        if not known or any(cell.n + cell.failed < cell.expected for cell in column.values()):
            return set()
        return {arm for arm, value in known.items() if value == max(known.values())}


@dataclass
class TableResult:
    """One comparison with its numbers.

    Attributes:
        id: of the comparison.
        title: heading.
        marks: what a reader must know: generated data, scaled, selected on test, a control.
        baseline: the arm that others are compared with, or None.
        citation: where the reference numbers were published, or an empty string.
        panels: one for each data set and metric.
        analyses: what the analyses found.
    """

    id: str
    title: str
    marks: list[str]
    baseline: str | None
    citation: str
    panels: list[Panel]
    analyses: list[AnalysisRow]


@dataclass
class Leaderboard:
    """All tables of a suite.

    Attributes:
        suite: name of the suite.
        tables: in the suite's order.
        ranking: arms by mean rank over all tables that are not controls.
        scaled: factor on the epochs of all trainings when it is below 1, else None.
        licences: licence of each data set, by label.
    """

    suite: str
    tables: list[TableResult]
    ranking: list[Rank]
    scaled: float | None = None
    licences: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, suite: str | Path | Suite, store: str | Path = "store", **settings: Any) -> Leaderboard:
        """Return the leaderboard of a suite from what a store holds.

        Args:
            suite: a suite or its file.
            store: directory of the store.
            settings: `only`, `seeds`, `draws`, `epochs_scale` and `data_dir`, as of `medssl_bench.run`.

        Raises:
            UserError: the suite is not valid or the store cannot be read.
        """
        from medssl_bench.api import load_leaderboard

        return load_leaderboard(suite, store, **settings)

    @classmethod
    def of(cls, suite: Suite, plan: Plan, store: Store) -> Leaderboard:
        """Return the leaderboard of a plan from what a store holds."""
        results = Results(plan, store)
        tables = [_table(table, plan, results, suite) for table in suite.tables if _trials(plan, table)]
        controls = {table.id for table in suite.tables if table.model.shuffle_labels}
        return cls(
            suite=suite.name,
            tables=tables,
            ranking=rank_arms([table for table in tables if table.id not in controls]),
            scaled=plan.epochs_scale if plan.epochs_scale < 1 else None,
            licences={label: info.licence for label, info in plan.datasets.items() if info},
        )

    def cells(self) -> list[Cell]:
        """Return every cell of every table."""
        return [cell for table in self.tables for panel in table.panels for cell in panel.cells.values()]

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
    citation, reference = _reference(table, suite)
    datasets = dict.fromkeys(dataset for dataset, _, _ in by_cell)
    panels = [
        _panel(table, dataset, metric, by_cell, results) for dataset in datasets for metric in table.model.metrics
    ]
    for panel in panels:
        for cell in panel.cells.values():
            cell.reference = reference(cell)
    return TableResult(
        id=table.id,
        title=table.title,
        marks=_marks(table, plan),
        baseline=table.model.baseline,
        citation=citation,
        panels=panels,
        analyses=_analyses(table, plan, results),
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


def _analyses(table: Table, plan: Plan, results: Results) -> list[AnalysisRow]:
    rows: dict[tuple[str, str, str | None], AnalysisRow] = {}
    for found in plan.analyses:
        if found.table != table.id:
            continue
        record = results.record(found.stage)
        row = rows.setdefault(
            (found.arm, found.dataset, found.labels), AnalysisRow(found.arm, found.dataset, found.labels, {})
        )
        for metric, value in (record.metrics if record else {}).items():
            cell = row.metrics.setdefault(
                metric, Cell(table.id, found.dataset, found.labels or "none", found.arm, metric)
            )
            cell.add(found.seed, found.draw or 0, value)
    return list(rows.values())


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


def _reference(table: Table, suite: Suite) -> tuple[str, Callable[[Cell], float | None]]:
    """Return the citation of a table's published numbers, and a function that finds the one of a cell."""
    if table.model.reference is None:
        return "", lambda _cell: None
    from pathlib import Path

    plugin, _, name = table.model.reference.partition(":")
    registry = suite.plugins.registry
    reference = registry.build(registry.resolve("reference", plugin, Path()), table=name)
    numbers = {(c.dataset, c.labels, c.arm, c.metric): c.value for c in reference.cells}
    names = {dataset.label: dataset.component.name for dataset in table.datasets}

    def find(cell: Cell) -> float | None:
        return numbers.get((names[cell.dataset], cell.labels, cell.arm, cell.metric))

    return reference.citation, find
