"""Whether an evaluator chooses its epoch by the metric that a comparison asks for (`select_by`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from medssl_bench.datasets import Task
from medssl_bench.errors import StageError
from medssl_bench.evaluators.base import Evaluation, Evaluator
from medssl_bench.metrics import Metric, Predictions
from medssl_bench.metrics.criterion import Criterion
from medssl_bench.plugin.component import Component
from medssl_bench.testing.checking import require
from medssl_bench.testing.trials import judge, make_trial

_USE = "choose it by trial.best_epoch(), or set follows_criterion to False"


def follows(build: Callable[[], Evaluator], task: Task) -> str:
    """Check that the epoch is chosen by a made-up metric: the later, then the earlier predictions are the better ones.

    Args:
        build: makes the evaluator.
        task: that it does not refuse.
    """
    evaluator = build()
    if not evaluator.chooses_epoch:
        return "it chooses none by validation images"
    if not evaluator.follows_criterion:
        return "it has a rule of its own, so a comparison with select_by refuses it"
    later, seen = _chosen(build, task, higher_is_better=True)
    earlier, _ = _chosen(build, task, higher_is_better=False)
    require(seen > 0, f"follows_criterion is True, but it never measures trial.criterion; {_USE}")
    if later is None or earlier is None:
        return "it tells no epoch"
    if seen > 1:
        require(
            earlier < later,
            f"of {seen} epochs it chooses {later} where the last is best, and {earlier} where the first is; {_USE}",
        )
    undefined = _chosen_where_undefined(build, task)
    require(undefined is None, f"it chooses epoch {undefined}, for which the metric has no value; {_USE}")
    return "the first and the last, as it asks" if seen > 1 else "it looks at one epoch alone"


def _chosen(build: Callable[[], Evaluator], task: Task, *, higher_is_better: bool) -> tuple[int | None, int]:
    """Return the epoch that is chosen, and how many different predictions the metric was asked about."""
    seen: dict[bytes, int] = {}

    def measure(given: Predictions) -> float:
        return float(seen.setdefault(given.scores.tobytes(), len(seen)))

    found = _judged(build, task, Metric(measure, higher_is_better=higher_is_better, high=math.inf))
    return found.selected_epoch, len(seen)


def _chosen_where_undefined(build: Callable[[], Evaluator], task: Task) -> int | None:
    try:
        return _judged(build, task, Metric(lambda _given: None)).selected_epoch
    except StageError:
        return None


def _judged(build: Callable[[], Evaluator], task: Task, metric: Metric) -> Evaluation:
    trial = make_trial(build(), task)
    return judge(build(), replace(trial, criterion=Criterion(Component("metric", "asked for"), metric)))
