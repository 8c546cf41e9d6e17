"""What the columns of a comparison are: registered metrics, and what the evaluators of its arms measure themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medssl_bench.errors import UserError
from medssl_bench.metrics.find import built_metric, find_metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.evaluators import Evaluator
    from medssl_bench.metrics import Metric
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry


@dataclass
class Columns:
    """The columns of a comparison.

    Attributes:
        metrics: what each is, by name.
        own: what the evaluators of the arms measure themselves, by name.
        not_measured: arms and metrics whose evaluator does not measure that metric.
        problems: what is wrong, each with the name of the column; None: with what an evaluator declares.
    """

    metrics: dict[str, Metric] = field(default_factory=dict)
    own: dict[str, Metric] = field(default_factory=dict)
    not_measured: frozenset[tuple[str, str]] = frozenset()
    problems: list[tuple[str | None, str]] = field(default_factory=list)


def columns_of(
    wanted: Mapping[str, str | Component | None], arms: Mapping[str, tuple[str, Evaluator]], registry: Registry
) -> Columns:
    """Return the columns of a comparison.

    Args:
        wanted: by what tables call it the name of a metric, or the metric itself; None: it could not be resolved.
        arms: name and evaluator by the arm's name.
        registry: the metrics there are.
    """
    from medssl_bench.evaluators.own_metrics import measured_by  # evaluators import NumPy

    columns = Columns()
    by_arm: dict[str, dict[str, Metric]] = {}
    for arm, (name, evaluator) in arms.items():
        try:
            by_arm[arm] = measured_by(name, evaluator)
        except UserError as error:
            columns.problems.append((None, str(error)))
    columns.own = {name: metric for measured in by_arm.values() for name, metric in measured.items()}
    seen: dict[str, Component] = {}
    for label, metric in wanted.items():
        if metric is None:
            continue
        if meant := _component(metric, registry):
            same = next((other for other, found in seen.items() if found == meant), None)
            if same is not None:
                columns.problems.append((label, f"this is the same column as {same!r}; each may stand once"))
            seen[label] = meant
        try:
            columns.metrics[label] = (
                find_metric(metric, registry, columns.own)
                if isinstance(metric, str)
                else built_metric(metric, registry)
            )
        except UserError as error:
            columns.problems.append((label, str(error)))
    beside = [name for name, found in columns.metrics.items() if found.measure is None]
    columns.not_measured = frozenset((arm, name) for arm in by_arm for name in beside if name not in by_arm[arm])
    return columns


def _component(metric: str | Component, registry: Registry) -> Component | None:
    """Return the registered metric that is meant, with all its parameters; None: there is none of this name."""
    if not isinstance(metric, str):
        return metric
    return registry.resolve_or_raise("metric", metric) if metric in registry.entries["metric"] else None


def refuses_criterion(arms: Mapping[str, tuple[str, Evaluator]]) -> str:
    """Return why the epochs of a comparison cannot be chosen by a metric that the suite names, or an empty string.

    Args:
        arms: name and evaluator by the arm's name.
    """
    for arm, (name, evaluator) in arms.items():
        if evaluator.chooses_epoch and not evaluator.follows_criterion:
            return (
                f"evaluator {name!r} of arm {arm!r} chooses its epoch by a rule of its own (its follows_criterion is "
                "False), so no metric can be named here; leave select_by out, or put the arm into another comparison"
            )
    return ""
