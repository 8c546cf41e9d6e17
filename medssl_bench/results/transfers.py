"""What classifiers measure on the test images of another data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from medssl_bench.datasets import Task
from medssl_bench.plan.kinds.transfer import TransferSpec
from medssl_bench.plan.trained_before import seen_before
from medssl_bench.results.judging import Judging
from medssl_bench.results.measured import measured_of_some
from medssl_bench.results.pairing import compare
from medssl_bench.results.retested import Pair, Place, Retested, arms_of, baseline_of, budgets_of, failures, left_out
from medssl_bench.results.tables import Panel
from medssl_bench.results.value import Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.metrics import Metric
    from medssl_bench.plan.chance import Chance
    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.results.cells import Cell, Results
    from medssl_bench.results.intervals import Intervals
    from medssl_bench.store.store import Store
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Table


_FOLDS = "No interval: the classifiers of all folds are tested on the same images there."


@dataclass(frozen=True)
class Transfer:
    """The arms of a comparison on the test images of another data set, by one metric.

    Attributes:
        comparison: id of the comparison.
        dataset: label of the data set that was trained on.
        other: label of the other one.
        baseline: the arm that others are compared with, or None.
        metric: name of the metric.
        classes: the classes that both share, by what the first set calls them; what the other calls each.
        images: test images of the other set that are of a shared class; None while no result is there.
        left_out: its other test images.
        copies: how many of them have a copy, a turned one too, among the images that were trained on.
        panel: the metric there, with intervals and verdicts.
        arms: the metric here, on the own test images of the shared classes, and there.
        notes: what must be known of them, a line each.
        multi_label: whether images have several labels, so that none is left out and no score is scaled.
    """

    comparison: str
    dataset: str
    other: str
    baseline: str | None
    metric: str
    classes: dict[str, list[str]]
    images: int | None
    left_out: int
    copies: int
    panel: Panel
    arms: dict[Place, Pair] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    multi_label: bool = False

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "comparison": self.comparison,
            "dataset": self.dataset,
            "test_on": self.other,
            "metric": self.metric,
            "baseline": self.baseline,
            "classes": self.classes,
            "images": self.images,
            "left_out": self.left_out,
            "copies_in_training": self.copies,
            "arms": [
                {
                    "arm": arm,
                    "labels": labels,
                    "n": pair.there.n,
                    "here": pair.here.mean,
                    "there": pair.there.mean,
                    "drop": pair.drop,
                    "difference": pair.there.difference,
                    **pair.there.judged.to_data(higher_is_better=pair.there.higher_is_better),
                }
                for (arm, labels), pair in self.arms.items()
            ],
            "notes": list(self.notes),
        }


def transfers_of(suite: Suite, plan: Plan, results: Results, intervals: Intervals) -> list[Transfer]:
    """Return what the comparisons of a suite measured on other data sets, as far as it is there.

    Args:
        suite: the suite.
        plan: its plan.
        results: finished results.
        intervals: of contrasts of cells.
    """
    retested = Retested(plan, "transfer")
    return [
        _transfer(table, dataset, other, metric, plan, results, intervals, retested)
        for table in suite.tables
        for dataset in retested.datasets(table.id)
        for other in retested.others(table.id, dataset)
        for metric, of in table.metrics.items()
        if of.measure is not None and of.reads == "predictions" and not of.needs_validation
    ]


def _transfer(
    table: Table,
    dataset: str,
    other: str,
    metric: str,
    plan: Plan,
    results: Results,
    intervals: Intervals,
    retested: Retested,
) -> Transfer:
    stages = retested.stages(table.id, dataset, other)
    arms, budgets = arms_of(table, stages), budgets_of(table, stages)
    panel = Panel(dataset, metric, budgets, arms, {arm.name for arm in table.arms if arm.floor})
    pairs: dict[Place, Pair] = {}
    for arm, labels in ((arm, labels) for labels in budgets for arm in arms if (arm, labels) in stages):
        there = results.empty_cell(table.id, dataset, labels, arm, metric)
        there.higher_is_better = table.metrics[metric].higher_is_better
        results.fill(there, stages[arm, labels], table.metrics[metric])
        panel.cells[arm, labels] = there
        here = _here(there, retested.trials(table.id, dataset)[arm, labels], table, plan, results, intervals.store)
        pairs[arm, labels] = Pair(here, there)
    compare(panel.cells, table.model.baseline)
    if table.folds == 1:
        Judging(table, intervals).judge(panel)
    keys = list(dict.fromkeys(key for found in stages.values() for key in found.values()))
    records = [record for key in keys if (record := results.record(key))]
    told = records[0].metrics if records else {}
    info = plan.datasets.get(dataset)
    seen = [f"{found}." for found in seen_before(plan) if (found.comparison, found.on) == (table.id, other)]
    return Transfer(
        table.id,
        dataset,
        other,
        baseline_of(table, arms),
        metric,
        _classes(plan, keys[0], other),
        told.get("images"),
        int(told.get("left_out", 0)),
        int(told.get("copies", 0)),
        panel,
        pairs,
        (
            *([_FOLDS] if table.folds > 1 else []),
            *_gaps(plan, keys[0], table.metrics[metric]),
            *seen,
            *left_out(table, plan, arms),
            *failures(results, keys),
        ),
        info is not None and info.task is Task.MULTI_LABEL,
    )


def _here(
    there: Cell, trials: Mapping[Chance, Trial], table: Table, plan: Plan, results: Results, store: Store
) -> Cell:
    """Return what the classifiers measure on their own test images of the shared classes."""
    cell = results.empty_cell(there.comparison, there.dataset, there.labels, there.arm, there.metric)
    cell.higher_is_better, cell.stages, cell.expected = there.higher_is_better, there.stages, there.expected
    info, metric = plan.datasets.get(there.dataset), table.metrics[there.metric]
    for value in there.values:
        record = results.record(trials[value.chance].stage)
        classes = plan.spec(there.stages[value.chance], TransferSpec).classes
        if record is None or info is None:
            continue
        measured = measured_of_some(there.metric, metric, record, store, info.task, classes)
        if measured.problem:
            cell.problems[trials[value.chance].stage] = measured.problem
        if measured.found.value is not None:
            cell.values.append(Value(value.seed, value.draw, measured.found.value, fold=value.fold))
    return cell


def _gaps(plan: Plan, stage: str, metric: Metric) -> list[str]:
    """Return a line where a metric counts the steps between classes, and some class between is not shared."""
    own = plan.spec(stage, TransferSpec).classes.own
    if metric.tasks != (Task.ORDINAL,) or own[-1] - own[0] == len(own) - 1:
        return []
    return ["Steps between classes count shared classes alone: of two with none between them it is one."]


def _classes(plan: Plan, stage: str, other: str) -> dict[str, list[str]]:
    classes = plan.spec(stage, TransferSpec).classes
    info = plan.datasets.get(other)
    if info is None:
        return {name: [] for name in classes.names}
    return {
        name: [info.classes[place] for place, number in enumerate(classes.other) if number == which]
        for which, name in enumerate(classes.names)
    }
