"""What the arms of a comparison do on each class, or on each label."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import TYPE_CHECKING

from medssl_bench.datasets.base import ONE_CLASS_TASKS, Task
from medssl_bench.metrics import Metric
from medssl_bench.metrics.later import later

if TYPE_CHECKING:
    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.results.cells import Cell, Results
    from medssl_bench.suite.table import Table

_IMAGES = Metric(later("one_against_rest:images"), high=float("inf"), per_class=True)
_ALWAYS = {
    "recall": Metric(later("one_against_rest:recalls"), per_class=True, tasks=ONE_CLASS_TASKS),
    "AUROC": Metric(later("one_against_rest:areas"), per_class=True),
    "average_precision": Metric(later("precision_recall:average_precision"), per_class=True, tasks=(Task.MULTI_LABEL,)),
}
"""Shown for every comparison, beside what it names that is measured for each class."""


@dataclass(frozen=True)
class ClassTable:
    """One metric of each class.

    Attributes:
        dataset: label of the data set.
        labels: text of the label budget.
        metric: its name.
        classes: names of the classes or labels.
        images: how many test images are of each; of folds, of the first.
        arms: for each arm mean, standard deviation and number of the values of each class; None without any.
    """

    dataset: str
    labels: str
    metric: str
    classes: tuple[str, ...]
    images: tuple[int, ...]
    arms: dict[str, list[tuple[float, float | None, int] | None]] = field(default_factory=dict)


def class_tables(table: Table, plan: Plan, results: Results) -> list[ClassTable]:
    """Return the metrics of each class, at the first and the last label budget that has results.

    Args:
        table: the comparison.
        plan: its plan.
        results: what was measured.
    """
    named = {
        name: metric for name, metric in table.metrics.items() if metric.per_class and metric.reads == "predictions"
    }
    metrics = {name: metric for name, metric in {**_ALWAYS, **named}.items() if metric.measure is not None}
    by_cell: dict[tuple[str, str], dict[str, list[Trial]]] = {}
    for trial in plan.trials:
        if trial.table == table.id and results.record(trial.stage):
            by_cell.setdefault((trial.dataset, trial.labels), {}).setdefault(trial.arm, []).append(trial)
    found = []
    for dataset in dict.fromkeys(place for place, _ in by_cell):
        info = plan.datasets.get(dataset)
        if info is None or not info.classes:
            continue
        budgets = [budget.text for budget in table.labels if (dataset, budget.text) in by_cell]
        for labels in dict.fromkeys([*budgets[:1], *budgets[-1:]]):
            arms = {arm.name: each for arm in table.arms if (each := by_cell[dataset, labels].get(arm.name))}
            first = results.cell(next(iter(arms.values())), "images", _IMAGES)
            images = tuple(int(value or 0) for value in first.values[0].classes.values()) if first.n else ()
            for name, metric in metrics.items():
                if info.task in metric.tasks:
                    cells = {arm: results.cell(trials, name, metric) for arm, trials in arms.items()}
                    rows = {arm: _rows(cell, info.classes) for arm, cell in cells.items() if cell.n}
                    found += [ClassTable(dataset, labels, name, info.classes, images, rows)] if rows else []
    return found


def _rows(cell: Cell, classes: tuple[str, ...]) -> list[tuple[float, float | None, int] | None]:
    """Return mean, standard deviation and number of the values of each class."""
    rows: list[tuple[float, float | None, int] | None] = []
    for name in classes:
        values = [found for value in cell.values if (found := value.classes.get(name)) is not None]
        rows.append((mean(values), stdev(values) if len(values) > 1 else None, len(values)) if values else None)
    return rows
