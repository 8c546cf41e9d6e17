"""The cells of a comparison: what its trials measured, over seeds, draws and folds."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, Literal

from medssl_bench.metrics.compute import Measured
from medssl_bench.plan.chance import Chance
from medssl_bench.results.choices import tuned_values
from medssl_bench.results.judged import Judged
from medssl_bench.results.measured import NO_PLACES, column
from medssl_bench.results.selection import CellSelection
from medssl_bench.results.told import told
from medssl_bench.results.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from medssl_bench.metrics import Metric
    from medssl_bench.plan.stage import Plan, Trial
    from medssl_bench.store.record import Record
    from medssl_bench.store.store import Store


State = Literal["done", "failed", "blocked", "waiting"]


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
        stages: which stage is to give the value of each seed, draw and fold; one that chance does not tell apart stands
            under several. What two cells share by it is what pairs them.
        lost: those of these stages that are ``failed`` or ``blocked``.
        reference: the published number, or None.
        difference: mean of the paired differences to the baseline arm, or None.
        pairs: how many pairs that mean is over.
        labelled: how many training images are labelled, by the first record that says so.
        judged: what its values allow to be said.
        selection: what the arm's epochs are selected by.
        scaled: factor on the epochs of all trainings when it is below 1, else None.
        generated: whether the data set's images are generated.
        leaks: what the splits of the data set share, which makes its numbers too good.
        higher_is_better: whether a higher value of the metric is better.
        fitted: whether validation images decide a part of the metric, such as a threshold.
        problems: why a number could not be measured of a finished trial: a line for each stage.
    """

    comparison: str
    dataset: str
    labels: str
    arm: str
    metric: str
    values: list[Value] = field(default_factory=list)
    expected: int = 0
    stages: dict[Chance, str] = field(default_factory=dict)
    lost: dict[str, State] = field(default_factory=dict)
    reference: float | None = None
    difference: float | None = None
    pairs: int = 0
    labelled: int | None = None
    judged: Judged = field(default_factory=Judged)
    selection: CellSelection = field(default_factory=CellSelection)
    scaled: float | None = None
    generated: bool = False
    leaks: str = ""
    higher_is_better: bool = True
    fitted: bool = False
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def score(self) -> float | None:
        """The mean as far as it is printed, turned so that a higher one is better; None where there is none."""
        return None if self.printed is None else self.printed * (1 if self.higher_is_better else -1)

    @property
    def n(self) -> int:
        """Number of values."""
        return len(self.values)

    @property
    def failed(self) -> int:
        """How many values are not there as their stage failed."""
        return list(self.lost.values()).count("failed")

    @property
    def blocked(self) -> int:
        """How many cannot be made, as something that they build on failed."""
        return list(self.lost.values()).count("blocked")

    @property
    def is_whole(self) -> bool:
        """Whether all its values are there."""
        return 0 < self.expected <= self.n

    @property
    def is_waiting(self) -> bool:
        """Whether values are still to come: neither there, nor failed, nor blocked."""
        return self.n + len(self.lost) < self.expected

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
            "labelled": self.labelled,
            "arm": self.arm,
            "metric": self.metric,
            "higher_is_better": self.higher_is_better,
            "n": self.n,
            "mean": self.mean,
            "std": self.std,
            "values": [value.to_data() for value in self.values],
            "expected": self.expected,
            "failed": self.failed,
            "blocked": self.blocked,
            "reference": self.reference,
            "difference": self.difference,
            "pairs": self.pairs,
            **self.judged.to_data(higher_is_better=self.higher_is_better),
            "selection": self.selection.by,
            "select_by": self.selection.metric,
            "validation_labels": self.selection.labels,
            "scaled": self.scaled,
            "generated": self.generated,
            "leaks": self.leaks,
        }


class Results:
    """Reads what the trials of a plan left in a store.

    Args:
        plan: whose trials.
        store: where from.
        without: places of test images that count for no metric, by the `key` of the `DatasetSpec`.
    """

    def __init__(self, plan: Plan, store: Store, without: Mapping[str, NDArray[np.int64]] | None = None) -> None:
        self._plan = plan
        self._store = store
        self._without = without or {}
        self._records: dict[str, Record | None] = {}
        self._states: dict[str, State] = {}

    def record(self, stage: str) -> Record | None:
        """Return the record of a finished stage, or None."""
        if stage not in self._records or self._records[stage] is None:
            self._records[stage] = self._store.record(stage)
        return self._records[stage]

    def cell(self, trials: Iterable[Trial], metric: str, of: Metric | None = None) -> Cell:
        """Return the cell of some trials, which differ in seed, draw and fold alone.

        Args:
            trials: one or more.
            metric: name of the metric.
            of: what it is; None: a number that records have.
        """
        trials = list(trials)
        first = trials[0]
        cell = self.empty_cell(first.table, first.dataset, first.labels, first.arm, metric)
        cell.higher_is_better = of is None or of.higher_is_better
        cell.fitted = of is not None and of.needs_validation
        chosen = {trial.stage: {"variant": trial.variant} for trial in trials if trial.variant}
        self.fill(cell, {trial.chance: trial.stage for trial in trials}, of, chosen)
        return cell

    def fill(
        self,
        cell: Cell,
        stages: dict[Chance, str],
        of: Metric | None = None,
        chosen: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Put what was measured into a cell, each stage's value once.

        Args:
            cell: where to.
            stages: the stage of each seed, draw and fold, in order.
            of: what the cell's metric is; None: a number that records have.
            chosen: what validation labels chose for a stage beside what its record says, by name.
        """
        cell.stages = stages
        first = {stage: place for place, stage in reversed(stages.items())}
        for stage in dict.fromkeys(stages.values()):
            cell.expected += 1
            if cell.labelled is None and (labelled := self.value(stage, "labelled")):
                cell.labelled = int(labelled)
            found, problem = self._measured(stage, cell, of)
            if problem:
                cell.problems[stage] = problem
            if found.value is not None:
                classes = self._by_class(cell.dataset, found)
                seed, draw, fold = first[stage]
                flags = told(self._plan, self.record, stage, cell.dataset)
                tuned = {**(chosen or {}).get(stage, {}), **tuned_values(self.record(stage))}
                cell.values.append(Value(seed, draw, found.value, flags, classes, fold, tuned))
                continue
            if (state := self.state(stage)) in {"failed", "blocked"}:
                cell.lost[stage] = state

    def _measured(self, stage: str, cell: Cell, of: Metric | None) -> tuple[Measured, str]:
        """Return what was measured of a stage, and why nothing could be, or an empty string."""
        record = self.record(stage)
        if of is None or record is None:
            return Measured(self.value(stage, cell.metric)), ""
        info = self._plan.datasets.get(cell.dataset)
        task = info.task if info else None
        found = column(cell.metric, of, record, self._store, task, self.left_out(stage))
        return found.found, found.problem

    def _by_class(self, dataset: str, found: Measured) -> dict[str, float | None]:
        info = self._plan.datasets.get(dataset)
        return dict(zip(info.classes, found.classes, strict=False)) if info else {}

    def left_out(self, stage: str) -> NDArray[np.int64]:
        """Return the places of the test images of an evaluation that count for no metric; of other stages, none."""
        if self._plan.stages[stage].kind != "evaluate":  # which may have test images of another data set
            return NO_PLACES
        return self._without.get(self._plan.stages[stage].spec.dataset.key, NO_PLACES)

    def value(self, stage: str, metric: str) -> float | None:
        """Return what a stage measured, or None; what is no number counts as nothing."""
        record = self.record(stage)
        value = record.metrics.get(metric) if record else None
        return float(value) if isinstance(value, int | float) else None

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

    def state(self, stage: str) -> State:
        """Return where a stage stood when first asked for; any that it builds on and that failed blocks it."""
        if stage not in self._states:
            self._states[stage] = self._state(stage)
        return self._states[stage]

    def reason(self, stage: str) -> str:
        """Return why a stage failed, or an empty string."""
        failure = self._store.failure(stage)
        return failure.reason.rstrip(".") if failure else ""

    def _state(self, stage: str) -> State:
        if self.record(stage) is not None:
            return "done"
        if self._store.failure(stage) is not None:
            return "failed"
        parents = self._plan.stages[stage].parents
        blocked = any(self.state(parent) in {"failed", "blocked"} for parent in parents)
        return "blocked" if blocked else "waiting"
