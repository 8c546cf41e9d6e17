"""The leaderboard of a suite: its tables, made from the store, and an overall ranking."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.report.cells import Cell, Results
from medssl_bench.report.ranking import Rank, rank_arms
from medssl_bench.report.tables import AnalysisRow, Panel, TableResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import NamedDataset, Table


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
    counted: set[tuple[str, str, str | None, str]] = set()
    for found in plan.analyses:
        place = (found.arm, found.dataset, found.labels)
        if found.table != table.id or (*place, found.stage) in counted:  # one stage under two draws is one value
            continue
        counted.add((*place, found.stage))
        record = results.record(found.stage)
        row = rows.setdefault(place, AnalysisRow(*place, {}))
        for metric, value in (record.metrics if record else {}).items():
            if not isinstance(value, int | float):
                continue
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
    plugin, _, name = table.model.reference.partition(":")
    registry = suite.plugins.registry
    reference = registry.build(registry.resolve("reference", plugin, Path()), table=name)
    numbers = {(c.dataset, c.labels, c.arm, c.metric): c.value for c in reference.cells}
    names = {dataset.label: _published_name(dataset, registry) for dataset in table.datasets}

    def find(cell: Cell) -> float | None:
        return numbers.get((names[cell.dataset], cell.labels, cell.arm, cell.metric))

    return reference.citation, find


def _published_name(dataset: NamedDataset, registry: Registry) -> str:
    """Return the name that published numbers call a data set by.

    That is its component's where it has no parameters of its own (numbers of 28 pixels are not those of 224), else its
    label.
    """
    required = any(
        parameter.required for parameter in registry.find("dataset", dataset.component.name).table.parameters()
    )
    plain = None if required else registry.resolve_or_raise("dataset", dataset.component.name)
    return dataset.component.name if dataset.component == plain else dataset.label
