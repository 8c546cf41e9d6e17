"""The cells of a comparison: what its trials measured, over seeds and draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.store.record import Record
    from medssl_bench.store.store import Store


@dataclass(frozen=True)
class Value:
    """One measured number, the trial that it is of, and what must be known of it: sentences by code."""

    seed: int
    draw: int
    value: float
    flags: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Cell:
    """One number of a table: an arm on a data set with a label budget, by one metric.

    Attributes:
        comparison: id of the comparison.
        dataset: label of the data set.
        labels: text of the label budget.
        arm: name of the arm.
        metric: name of the metric.
        values: one for each trial that was computed; trials that chance does not tell apart (the same stage under
            another draw) count once.
        expected: how many there are when all is done.
        failed: how many have failed, or are blocked by one that has.
        reference: the published number, or None.
        difference: mean of the paired differences to the baseline arm, or None.
        scaled: factor on the epochs of all trainings when it is below 1, else None.
        generated: whether the data set's images are generated.
    """

    comparison: str
    dataset: str
    labels: str
    arm: str
    metric: str
    values: list[Value] = field(default_factory=list)
    expected: int = 0
    failed: int = 0
    reference: float | None = None
    difference: float | None = None
    scaled: float | None = None
    generated: bool = False

    @property
    def n(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def mean(self) -> float | None:
        """Mean of the values, or None."""
        return mean(value.value for value in self.values) if self.values else None

    @property
    def printed(self) -> float | None:
        """The mean as far as tables print it; values that are printed alike count as equal."""
        return None if self.mean is None else round(self.mean, 3)

    @property
    def std(self) -> float | None:
        """Sample standard deviation of the values, or None for fewer than two."""
        return stdev(value.value for value in self.values) if self.n > 1 else None

    def to_data(self) -> dict[str, Any]:
        """Return the cell as JSON-able data."""
        return {
            "comparison": self.comparison,
            "dataset": self.dataset,
            "labels": self.labels,
            "arm": self.arm,
            "metric": self.metric,
            "n": self.n,
            "mean": self.mean,
            "std": self.std,
            "values": [vars(value) for value in self.values],
            "expected": self.expected,
            "failed": self.failed,
            "reference": self.reference,
            "difference": self.difference,
            "scaled": self.scaled,
            "generated": self.generated,
        }


class Results:
    """Reads what the trials of a plan left in a store.

    Args:
        plan: whose trials.
        store: where from.
    """

    def __init__(self, plan: Plan, store: Store) -> None:
        self._plan = plan
        self._store = store
        self._records: dict[str, Record | None] = {}

    def record(self, stage: str) -> Record | None:
        """Return the record of a finished stage, or None."""
        if stage not in self._records or self._records[stage] is None:
            self._records[stage] = self._store.record(stage)
        return self._records[stage]

    def cell(self, trials: Iterable[Trial], metric: str) -> Cell:
        """Return the cell of some trials, which differ in seed and draw alone."""
        trials = list(trials)
        first = trials[0]
        cell = self.empty_cell(first.table, first.dataset, first.labels, first.arm, metric)
        seen: set[str] = set()
        for trial in trials:
            if trial.stage in seen:
                continue
            seen.add(trial.stage)
            cell.expected += 1
            value = self.value(trial, metric)
            if value is not None:
                cell.values.append(Value(trial.seed, trial.draw, value, self.flags(trial.stage)))
            elif self.has_failed(trial.stage):
                cell.failed += 1
        return cell

    def value(self, trial: Trial, metric: str) -> float | None:
        """Return what one trial measured, or None."""
        record = self.record(trial.stage)
        value = record.metrics.get(metric) if record else None
        return float(value) if value is not None else None

    def flags(self, stage: str) -> dict[str, str]:
        """Return what must be known of the result of a stage: sentences by code."""
        record = self.record(stage)
        return record.flags if record else {}

    def empty_cell(self, table: str, dataset: str, labels: str, arm: str, metric: str) -> Cell:
        """Return a cell without values, with the marks that its numbers would have."""
        info = self._plan.datasets.get(dataset)
        return Cell(
            table,
            dataset,
            labels,
            arm,
            metric,
            scaled=self._plan.epochs_scale if self._plan.epochs_scale < 1 else None,
            generated=bool(info and info.generated),
        )

    def has_failed(self, stage: str) -> bool:
        """Return whether a stage has failed, or is blocked by one that has."""
        if self._store.is_done(stage):
            return False
        return self._store.failure(stage) is not None or any(
            self.has_failed(parent) for parent in self._plan.stages[stage].parents
        )

    def difference(self, arm: Iterable[Trial], baseline: Iterable[Trial], metric: str) -> float | None:
        """Return the mean over seeds and draws of an arm's value minus the baseline's of the same seed and draw."""
        other = {(trial.seed, trial.draw): trial for trial in baseline}
        pairs: dict[tuple[str, str], float] = {}
        for trial in arm:
            paired = other.get((trial.seed, trial.draw))
            if paired is None:
                continue
            here, there = self.value(trial, metric), self.value(paired, metric)
            if here is not None and there is not None:
                pairs[trial.stage, paired.stage] = here - there
        return mean(pairs.values()) if pairs else None
