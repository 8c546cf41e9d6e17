"""The suite's own tables of components: a table's name means its component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medssl_bench.errors import PluginError
from medssl_bench.plugin.parameters import Components, OneComponent
from medssl_bench.plugin.tuning import TUNE

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.suite import schema

ALIASED = ("dataset", "augmentation", "encoder", "method", "evaluator")
"""Kinds of which a suite has tables of its own."""


class Aliases:
    """The tables of one suite.

    Args:
        model: the checked document.
        registry: the components there are.
    """

    def __init__(self, model: schema.SuiteModel, registry: Registry) -> None:
        self._model = model
        self._registry = registry

    def has(self, kind: str, value: Any) -> bool:
        """Return whether a component, as a suite writes it, is named by one of the suite's own tables."""
        return name_of(value) in getattr(self._model, kind, {})

    def written_out(self, kind: str, value: Any, inside: tuple[str, ...] = ()) -> Any:
        """Return a component with what the suite's own tables say in place of their names, in parameters too."""
        own = getattr(self._model, kind, {}).get(name_of(value))
        if own is not None and f"{kind}.{name_of(value)}" not in inside:
            inside = (*inside, f"{kind}.{name_of(value)}")
            if isinstance(own, dict) and isinstance(value, dict):
                own = {**own, **{name: item for name, item in value.items() if name != "name"}}
            value = own
        for name, nested in self._nested(kind, value).items():
            if name in value:
                value = {**value, name: self._inside(nested, value[name], inside)}
            elif name in _tuned(value):  # values to choose from
                tune = value[TUNE]
                value = {**value, TUNE: {**tune, name: [self._inside(nested, item, inside) for item in tune[name]]}}
        return value

    def _inside(self, nested: Components | OneComponent, item: Any, inside: tuple[str, ...]) -> Any:
        """Return what a parameter that holds components has, written out."""
        if isinstance(item, list) and isinstance(nested, Components):
            return [self.written_out(nested.kind, part, inside) for part in item]
        return self.written_out(nested.kind, item, inside)

    def _nested(self, kind: str, value: Any) -> dict[str, Components | OneComponent]:
        """Return which of the parameters that a table gives, or has values to tune for, are components themselves."""
        entry = self._registry.entries[kind].get(name_of(value))
        if entry is None or not isinstance(value, dict):
            return {}
        try:
            given = {*value, *_tuned(value)}
            return {name: nested for name, nested in entry.table.nested.items() if name in given}
        except PluginError:  # reported when the component is resolved
            return {}


def _tuned(value: dict[str, Any]) -> set[str]:
    """Return the parameters that a table has lists of values to tune for, as far as it is sound."""
    tune = value.get(TUNE)
    return {name for name, items in tune.items() if isinstance(items, list)} if isinstance(tune, dict) else set()


def name_of(value: Any) -> str:
    """Return the name in a component as a suite writes it, or an empty string."""
    name = value.get("name") if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""
