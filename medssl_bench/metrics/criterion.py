"""The metric by which the epoch of a downstream training is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.datasets import Task
from medssl_bench.errors import UserError
from medssl_bench.metrics.compute import compute
from medssl_bench.metrics.find import built_metric, find_metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.metrics.metric import Metric, Predictions
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry

_IN_HISTORY = "epoch"
"""What a row of a history has beside metrics."""

_WANTED = "epochs are chosen by a metric that reads predictions"


@dataclass(frozen=True)
class Criterion:
    """A metric by which epochs are chosen.

    Attributes:
        component: the metric as data, for keys and for workers.
        metric: what it is; it has a function that reads predictions.
    """

    component: Component
    metric: Metric

    @property
    def name(self) -> str:
        """Name of the metric; a history has its value as ``val_NAME``."""
        return self.component.name

    def is_default(self, task: Task) -> bool:
        """Return whether epochs are chosen by it where a suite names no metric."""
        return self.name == default_criterion(task)

    def value(self, given: Predictions) -> float | None:
        """Return the metric of predictions; None where it is not defined.

        Raises:
            PluginError: its function raises, or gives a value that the metric cannot have.
        """
        return compute(self.name, self.metric, given).value

    def score(self, value: float) -> float:
        """Return a value, turned so that a higher one is better."""
        return value if self.metric.higher_is_better else -value


def default_criterion(task: Task) -> str:
    """Return the metric by which epochs are chosen where a suite names none.

    It is accuracy; of a multi-label task AUROC, since its accuracy hardly moves where most labels are 0.
    """
    return "auroc" if task is Task.MULTI_LABEL else "accuracy"


def find_criterion(name: str, registry: Registry, own: Mapping[str, Metric]) -> Criterion:
    """Return the metric that a suite chooses epochs by.

    Args:
        name: as the suite writes it.
        registry: the metrics there are.
        own: what the evaluators of the comparison measure themselves.

    Raises:
        UserError: there is no such metric, or no epoch can be chosen by it.
    """
    metric = find_metric(name, registry, own)
    if metric.measure is None:
        raise UserError(f"metric {name!r} is what an evaluator measures itself, once; {_WANTED}")
    if metric.reads == "record":
        raise UserError(f"metric {name!r} reads the record of a finished result; {_WANTED}")
    if metric.needs_validation:
        raise UserError(f"metric {name!r} needs validation images beside those that it measures; {_WANTED}")
    if name == _IN_HISTORY:
        raise UserError(
            f"metric {name!r} has the name of another number of histories; rename it to choose epochs by it"
        )
    return Criterion(registry.resolve_or_raise("metric", name), metric)


def make_criterion(component: Component, registry: Registry) -> Criterion:
    """Return the criterion that a stage names; errors as of `built_metric`."""
    return Criterion(component, built_metric(component, registry))
