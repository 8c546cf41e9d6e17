"""Titles of stages: unique in a suite, and the same after a change of settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from medssl_bench.plugin.component import Component
from medssl_bench.suite.initial_weights import named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medssl_bench.suite.table import Table


class Titles:
    """Names encoders and analyses by the parameters in which they differ within a suite.

    A setting that all of them share is left out, so that a title stays when it is changed: then `plan` can say what
    has changed.

    Args:
        tables: all comparisons of the suite.
    """

    def __init__(self, tables: Iterable[Table]) -> None:
        self._encoders: dict[str, list[Component]] = {}
        self._analyses: dict[tuple[str, str], list[Component]] = {}
        for table in tables:
            for arm in table.arms:
                if not arm.chain:
                    self._encoders.setdefault(named(arm.encoder), []).append(arm.encoder)
            for analysis in table.analyses:
                self._analyses.setdefault((table.id, analysis.name), []).append(analysis)

    def encoder(self, encoder: Component) -> str:
        """Return what an encoder is that nothing is pretrained for: ``untrained resnet18 (stem small)``."""
        name = named(encoder)
        return name + _differing(encoder, self._encoders.get(name, []))

    def analysis(self, table: str, analysis: Component) -> str:
        """Return what an analysis of a comparison is: ``embedding (perplexities [5])``."""
        return analysis.name + _differing(analysis, self._analyses.get((table, analysis.name), []))


def _differing(component: Component, others: list[Component]) -> str:
    """Return the parameters of a component by which it differs from any of its name, in brackets; or nothing."""
    own = component.identity()["parameters"]
    theirs = [other.identity()["parameters"] for other in others]
    names = [name for name in component.parameters if any(own.get(name) != other.get(name) for other in theirs)]
    told = ", ".join(f"{name} {_text(component, name)}" for name in names)
    return f" ({told})" if told else ""


def _text(component: Component, name: str) -> str:
    if digest := component.files.get(name):
        return digest[:8]
    value = component.parameters[name]
    return value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, Component):
        return value
    return {value.name: {name: _plain(item) for name, item in value.parameters.items()}}
