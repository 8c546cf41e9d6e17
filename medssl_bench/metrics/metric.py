"""What a metric is: a column of tables, with its direction, its range, and a function that measures it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from medssl_bench.datasets import Task
from medssl_bench.datasets.base import LABELLED_TASKS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Predictions:
    """What a classifier says of test images, or of those that an epoch is chosen by, and what is true.

    Attributes:
        task: what the labels mean.
        labels: (N, 1) class numbers, or (N, L) of 0 and 1 for a multi-label task.
        scores: (N, C) float32: probabilities of the classes, or of each label of a multi-label task.
        val_labels: of the validation images that were labelled, (m, L); None where the result keeps none.
        val_scores: of these, (m, C) float32, likewise.
    """

    task: Task
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    val_labels: NDArray[np.int64] | None = None
    val_scores: NDArray[np.float32] | None = None


class NotDefined(Exception):
    """Raised by the function of a metric that has no value of some predictions; says why, in a few words."""


@dataclass(frozen=True)
class Finished:
    """What a finished result keeps beside its predictions.

    Attributes:
        metrics: what was measured by name: accuracy, AUROC and balanced accuracy, how many images are labelled, and
            what the evaluator measured beside.
        cost: what it cost by name, such as ``wall_seconds`` and ``peak_memory_bytes``; without the pretrainings that
            it builds on.
        history: a row for each epoch that was looked at, with its number as ``epoch``; empty where there are none.
    """

    metrics: Mapping[str, Any]
    cost: Mapping[str, Any]
    history: Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Metric:
    """A metric: a column of tables.

    Attributes:
        measure: the function. It takes `Predictions`, or `Finished` where `reads` is ``record``. It returns a number,
            or None where the metric is not defined. A metric that is `per_class` returns one of these for each class.
            Results must depend on nothing else: they are computed when a table is made, and kept in memory.
            None: an evaluator measures it itself (`medssl_bench.evaluators.Evaluator.measures`).
        higher_is_better: whether a higher value is better. It decides rankings, bold numbers and improvements.
        low: the lowest possible value.
        high: the highest possible value.
        tasks: the tasks that it is defined for.
        per_class: whether it is measured for each class; the column then has the mean of those that are defined.
        reads: what the function gets.
        influence: takes `Predictions`, and returns one number for each test image, (N,) float64, whose mean is the
            metric and whose variance divided by N is its sampling variance, or None where the metric is not defined.
            Intervals and verdicts are made of it. None: the metric has no interval, unless it is `resampled`.
        resampled: whether influence values are made by resampling test images, for a metric that is biased or jumps.
        needs_validation: whether it needs `Predictions.val_scores`; its function is then not called without them.
    """

    measure: Callable[[Any], Any] | None = None
    higher_is_better: bool = True
    low: float = 0.0
    high: float = 1.0
    tasks: tuple[Task, ...] = LABELLED_TASKS
    per_class: bool = False
    reads: Literal["predictions", "record"] = "predictions"
    influence: Callable[[Predictions], NDArray[np.float64] | None] | None = None
    resampled: bool = False
    needs_validation: bool = False

    @property
    def is_resampled(self) -> bool:
        """Whether its influence values are made by resampling: it has none of its own, and asks for it."""
        return self.resampled and self.influence is None

    @property
    def best(self) -> float:
        """The best possible value."""
        return self.high if self.higher_is_better else self.low

    @property
    def about(self) -> str:
        """Its declaration, in a sentence."""
        direction = "Higher" if self.higher_is_better else "Lower"
        source = "the test predictions" if self.reads == "predictions" else "the record of a result"
        source += " and those of labelled validation images" if self.needs_validation else ""
        over = "; it is the mean over classes" if self.per_class else ""
        tasks = ", ".join(self.tasks)
        return (
            f"{direction} is better; range {self.low:g} to {self.high:g}{over}. It is computed from {source}, "
            f"for these tasks: {tasks}."
        )

    def wrong(self) -> str:
        """Return what is wrong with the declaration, in one line, or an empty string."""
        measure: Any = self.measure  # a plugin may have given anything
        if measure is not None and not callable(measure):
            return f"measure is {type(measure).__name__}, not a function"
        influence: Any = self.influence
        if influence is not None and not callable(influence):
            return f"influence is {type(influence).__name__}, not a function"
        for name in ("higher_is_better", "per_class", "resampled", "needs_validation"):
            if not isinstance(getattr(self, name), bool):
                return f"{name} must be True or False"
        for name, value in (("low", self.low), ("high", self.high)):
            if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
                return f"{name} is {value!r}, not a number"
        if not self.low < self.high:
            return f"its range is empty: low {self.low:g} is not below high {self.high:g}"
        known = isinstance(self.tasks, tuple) and self.tasks and all(task in LABELLED_TASKS for task in self.tasks)
        if not known:
            return f"tasks is {self.tasks!r}; give a tuple of some of {', '.join(LABELLED_TASKS)}"
        if self.reads not in {"predictions", "record"}:
            return f"reads is {self.reads!r}; it must be 'predictions' or 'record'"
        return ""
