"""What classifiers measure on corrupted test images: by corruption and severity, and put together for each arm."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.errors import UserError
from medssl_bench.metrics.builtin import RECORDED
from medssl_bench.results.intervals import Intervals
from medssl_bench.results.judging import Judging
from medssl_bench.results.measured import Influence, influence_values
from medssl_bench.results.pairing import compare
from medssl_bench.results.retested import Pair, Place, Retested, arms_of, baseline_of, budgets_of, failures, left_out
from medssl_bench.results.tables import Panel
from medssl_bench.results.value import Value
from medssl_bench.store.arrays import load_npz

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.metrics import Metric
    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.results.cells import Cell, Results
    from medssl_bench.suite.suite import Suite
    from medssl_bench.suite.table import Table

BALANCED = "balanced_accuracy"

Curves = dict[str, dict[str, list[float | None]]]
"""By metric, by corruption: the mean over trials at each severity."""


@dataclass(frozen=True)
class RobustArm:
    """An arm at a label budget.

    Attributes:
        pair: the metric on the clean and on the corrupted test images.
        curves: each metric by corruption and severity, the mean over the trials that have all of them.
        clean_error: balanced error, 1 - balanced accuracy, of the clean test images.
        relative: mean over corruptions of the balanced error divided by that of the baseline; None without one.
    """

    pair: Pair
    curves: Curves
    clean_error: float | None
    relative: float | None = None

    @property
    def errors(self) -> dict[str, float | None]:
        """Balanced error by corruption, the mean over severities."""
        return {
            name: None if None in found else 1 - mean(value for value in found if value is not None)
            for name, found in self.curves.get(BALANCED, {}).items()
        }

    @property
    def error(self) -> float | None:
        """Balanced error, the mean over corruptions and severities."""
        known = [value for value in self.errors.values() if value is not None]
        return mean(known) if known and len(known) == len(self.errors) else None

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "arm": self.pair.here.arm,
            "labels": self.pair.here.labels,
            "n": self.pair.there.n,
            "clean": self.pair.here.mean,
            "corrupted": self.pair.there.mean,
            "drop": self.pair.drop,
            "difference": self.pair.there.difference,
            **self.pair.there.judged.to_data(higher_is_better=self.pair.there.higher_is_better),
            "clean_balanced_error": self.clean_error,
            "balanced_error": self.error,
            "relative_balanced_error": self.relative,
            "balanced_error_by_corruption": self.errors,
            "by_corruption": self.curves,
        }


@dataclass(frozen=True)
class Robustness:
    """The arms of a comparison on the corrupted test images of a data set.

    Attributes:
        comparison: id of the comparison.
        dataset: label of the data set.
        metric: name of the metric.
        baseline: the arm that errors are relative to, or None.
        corruptions: their names.
        severities: from 1 to 5.
        panel: the metric on corrupted images, with intervals and verdicts.
        arms: by arm and label budget.
        notes: what must be known of them, a line each.
    """

    comparison: str
    dataset: str
    metric: str
    baseline: str | None
    corruptions: tuple[str, ...]
    severities: tuple[int, ...]
    panel: Panel
    arms: dict[Place, RobustArm] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "comparison": self.comparison,
            "dataset": self.dataset,
            "metric": self.metric,
            "baseline": self.baseline,
            "corruptions": list(self.corruptions),
            "severities": list(self.severities),
            "arms": [arm.to_data() for arm in self.arms.values()],
            "notes": list(self.notes),
        }


def robustness_of(suite: Suite, plan: Plan, results: Results, intervals: Intervals) -> list[Robustness]:
    """Return what the comparisons of a suite measured on corrupted images, as far as it is there.

    Args:
        suite: the suite.
        plan: its plan.
        results: finished results.
        intervals: of the comparisons' own cells.
    """
    retested = Retested(plan, "corrupt")
    return [
        _robustness(table, dataset, suite, results, _Corrupted(retested, table, dataset, results, intervals))
        for table in suite.tables
        for dataset in retested.datasets(table.id)
    ]


class _Corrupted(Intervals):
    """The corrupted test images of a data set in a comparison: what trials measured, and its intervals.

    Results go by the evaluation whose classifier it is, so that they pair as those of the evaluations do.
    """

    def __init__(self, retested: Retested, table: Table, dataset: str, results: Results, like: Intervals) -> None:
        super().__init__(like.plan, like.store, results, like.metrics)
        self.names = tuple(retested.others(table.id, dataset))
        self.trials = retested.trials(table.id, dataset)
        self.stages: dict[str, list[str]] = {}
        self._read: dict[tuple[str, str], Influence | str] = {}
        for name in self.names:
            for place, by_chance in retested.stages(table.id, dataset, name).items():
                for chance, stage in by_chance.items():
                    found = self.stages.setdefault(self.trials[place][chance].stage, [])
                    if stage not in found:
                        found.append(stage)

    def measured(self, evaluation: str) -> list[dict[str, list[float | None]]] | None:
        """Return what was measured by corruption, metric and severity; None while one is missing."""
        records = [self._results.record(stage) for stage in self.stages[evaluation]]
        return None if None in records else [record.metrics for record in records if record]

    def severities(self) -> tuple[int, ...]:
        """Return the severities, as far as results are there."""
        for stages in self.stages.values():
            if record := self._results.record(stages[0]):
                return tuple(record.metrics["severities"])
        return ()

    def _influence(self, stage: str, cell: Cell) -> Influence | str:
        if (stage, cell.metric) not in self._read:  # a baseline is in the difference of every arm
            self._read[stage, cell.metric] = self._mean_influence(stage, cell.metric)
        return self._read[stage, cell.metric]

    def _mean_influence(self, stage: str, metric: str) -> Influence | str:
        total: Any = 0.0
        truth = group = None
        for each in self.stages[stage]:
            record = self._results.record(each)
            if record is None:
                return "not finished"
            try:
                arrays = load_npz(self.store.checked(record.key, "influence.npz"))
            except UserError as error:
                return " ".join(str(error).split())
            if metric not in arrays:
                return f"{metric} is not defined for these test images"
            total = total + arrays[metric]
            truth, group = arrays["y_true"], arrays.get("group")
        assert truth is not None
        return influence_values(metric, np.asarray(total) / len(self.stages[stage]), truth, group)


def _robustness(table: Table, dataset: str, suite: Suite, results: Results, found: _Corrupted) -> Robustness:
    metric = next((name for name in table.model.metrics if name in RECORDED), BALANCED)
    of = _metric(metric, suite)
    trials = found.trials
    arms, budgets = arms_of(table, trials), budgets_of(table, trials)
    baseline = baseline_of(table, arms)
    panel = Panel(dataset, metric, budgets, arms, {arm.name for arm in table.arms if arm.floor})
    made: dict[Place, RobustArm] = {}
    for place in ((arm, labels) for labels in budgets for arm in arms if (arm, labels) in trials):
        here = results.cell(trials[place].values(), metric, of)
        there = _cell(list(trials[place].values()), metric, of, results, found)
        panel.cells[place] = there
        curves = _curves(there, found)
        errors = [
            1 - value
            for value in (results.value(stage, BALANCED) for stage in dict.fromkeys(there.stages.values()))
            if value is not None
        ]
        made[place] = RobustArm(Pair(here, there), curves, mean(errors) if errors else None)
    compare(panel.cells, baseline)
    Judging(table, found, metric).judge(panel)
    notes = [
        *left_out(table, found.plan, arms),
        *failures(results, (each for stages in found.stages.values() for each in stages)),
    ]
    return Robustness(
        table.id,
        dataset,
        metric,
        baseline,
        found.names,
        found.severities(),
        panel,
        {place: _relative(place, arm, made, baseline) for place, arm in made.items()},
        tuple(notes),
    )


def _relative(place: Place, arm: RobustArm, arms: Mapping[Place, RobustArm], baseline: str | None) -> RobustArm:
    """Return an arm with its balanced error relative to the baseline's, the mean over corruptions."""
    reference = arms.get((baseline or "", place[1]))
    if reference is None or arm.error is None or reference.error is None:
        return arm
    ratios = [
        error / other
        for error, other in zip(arm.errors.values(), reference.errors.values(), strict=True)
        if error is not None and other
    ]
    whole = len(ratios) == len(arm.errors)
    return RobustArm(arm.pair, arm.curves, arm.clean_error, mean(ratios) if whole else None)


def _cell(trials: list[Trial], metric: str, of: Metric | None, results: Results, found: _Corrupted) -> Cell:
    """Return the mean over corruptions and severities of a metric, with a value for each evaluation."""
    first = trials[0]
    cell = results.empty_cell(first.table, first.dataset, first.labels, first.arm, metric)
    cell.higher_is_better = of is None or of.higher_is_better
    cell.stages = {trial.chance: trial.stage for trial in trials}
    for stage in dict.fromkeys(cell.stages.values()):
        cell.expected += 1
        place = next(trial.chance for trial in trials if trial.stage == stage)
        measured = found.measured(stage)
        values = [value for each in measured or () for value in each[metric]]
        known = [value for value in values if value is not None]
        if known and len(known) == len(values):
            cell.values.append(Value(place.seed, place.draw, mean(known), fold=place.fold))
            continue
        states = {results.state(each) for each in found.stages[stage]}
        if lost := states & {"failed", "blocked"}:
            cell.lost[stage] = "failed" if "failed" in lost else "blocked"
    return cell


def _curves(cell: Cell, found: _Corrupted) -> Curves:
    """Return each metric by corruption and severity, the mean over the evaluations that have all."""
    every = [measured for stage in dict.fromkeys(cell.stages.values()) if (measured := found.measured(stage))]
    return {
        name: {
            corruption: [mean_of_all(values) for values in zip(*(each[number][name] for each in every), strict=True)]
            for number, corruption in enumerate(found.names)
        }
        for name in (RECORDED if every else ())
    }


def mean_of_all(values: Sequence[float | None]) -> float | None:
    """Return the mean of some values, or None where one is missing."""
    known = [value for value in values if value is not None]
    return mean(known) if len(known) == len(values) else None


def _metric(name: str, suite: Suite) -> Metric | None:
    from medssl_bench.metrics.find import make_metric

    return make_metric(name, suite.plugins.registry)
