"""Finds the metric that a table names: a registered one, or one that an evaluator measures itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.errors import PluginError, UserError, did_you_mean
from medssl_bench.plugin.guarded import make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.metrics.metric import Metric
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry


def find_metric(name: str, registry: Registry, own: Mapping[str, Metric]) -> Metric:
    """Return a metric by its name.

    Args:
        name: as a table writes it.
        registry: the metrics there are.
        own: what the evaluators of the table's arms measure themselves.

    Raises:
        UserError: there is no such metric, or the name has two meanings.
    """
    known = registry.entries["metric"]
    if name in known and name in own:
        raise UserError(
            f"metric {name!r} of plugin {known[name].plugin.name!r} is also what an evaluator of this comparison "
            "measures itself; rename one of them"
        )
    if name in own:
        return own[name]
    if name not in known:
        names = sorted({*known, *own})
        hint = did_you_mean(name, names) or f"; there are: {', '.join(names)}"
        raise UserError(f"there is no metric {name!r}{hint}")
    return make_metric(name, registry)


def make_metric(name: str, registry: Registry) -> Metric:
    """Return a registered metric by its name; errors as of `built_metric`."""
    return built_metric(registry.resolve_or_raise("metric", name), registry)


def built_metric(component: Component, registry: Registry) -> Metric:
    """Return the metric that a component describes.

    Raises:
        UserError: there is none of its revision here, its factory fails, or what it gives is no sound metric.
    """
    metric: Metric = make(registry, component)
    if wrong := wrong_with(metric):
        raise PluginError(f"metric {component.name!r}: {wrong}")
    return metric


def wrong_with(metric: Metric) -> str:
    """Return what is wrong with a metric that a plugin registers, in one line, or an empty string."""
    return metric.wrong() or ("" if metric.measure else "it has no function; give measure")
