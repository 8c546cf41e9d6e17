"""A component as a suite uses it: a name, validated parameters, and its revision and source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Component:
    """A component with its parameters, described by data alone, so that any worker can build it.

    Attributes:
        kind: name of its kind, such as ``"augmentation"``.
        name: the name it is registered under.
        parameters: every parameter with a JSON-able value; nested components stand as `Component`.
        revision: the revision that its author declares; results of another revision are other results.
        plugin: name of the plugin that registers it.
        source: SHA-256 of the plugin's source when it is an inline or editable one, else None.
        files: SHA-256 of each file that a parameter names, by parameter.
        neutral: parameters that are in no key: it got them later and they stand where it does what it did before, or
            they are for readers alone.
        tune: values of parameters of which validation labels choose one, by name; nothing: none are chosen. Then
            `parameters` has the first of each.
    """

    kind: str
    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    revision: int = 1
    plugin: str = ""
    source: str | None = None
    files: dict[str, str | None] = field(default_factory=dict)
    neutral: tuple[str, ...] = ()
    tune: dict[str, list[Any]] = field(default_factory=dict)

    def candidates(self) -> list[tuple[dict[str, Any], Component]]:
        """Return every combination of the values to tune, in one order for all ways to write them.

        Returns:
            Its values by name, and the component that has them.
        """
        names = sorted(self.tune)
        combinations = [dict(zip(names, values, strict=True)) for values in product(*(self.tune[n] for n in names))]
        rest = tuple(name for name in self.neutral if name not in self.tune)
        return [
            (each, replace(self, parameters={**self.parameters, **each}, neutral=rest, tune={}))
            for each in combinations
        ]

    def to_data(self) -> dict[str, Any]:
        """Return the component as JSON-able data, from which `from_data` makes it again."""
        return {
            "kind": self.kind,
            "name": self.name,
            "parameters": {name: _to_data(value) for name, value in self.parameters.items()},
            "revision": self.revision,
            "plugin": self.plugin,
            "source": self.source,
            "files": self.files,
            "neutral": list(self.neutral),
            **({"tune": {name: _to_data(values) for name, values in self.tune.items()}} if self.tune else {}),
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Component:
        """Return the component that `to_data` described.

        Raises:
            UserError: the data, which may be of a damaged or foreign record, describes no component.
        """
        if not isinstance(data, dict) or "parameters" not in data or not _is_sound(data):
            raise UserError("expected a component")
        parameters = {name: _from_data(value) for name, value in data["parameters"].items()}
        tune = {name: _from_data(values) for name, values in data.get("tune", {}).items()}
        return cls(**{**data, "parameters": parameters, "neutral": tuple(data.get("neutral", ())), "tune": tune})

    def identity(self) -> dict[str, Any]:
        """Return what decides the results of this component: a file counts by its content, not by its place."""
        parameters = {
            name: {"sha256": self.files[name]} if name in self.files else _identity(value)
            for name, value in self.parameters.items()
            if name not in self.neutral and name not in self.tune
        }
        if self.tune:
            parameters["tune"] = {name: _identity(values) for name, values in self.tune.items()}
        return {
            "name": self.name,
            "plugin": self.plugin,
            "revision": self.revision,
            "source": self.source,
            "parameters": parameters,
        }


_TYPES = {
    "kind": str,
    "name": str,
    "parameters": dict,
    "plugin": str,
    "revision": int,
    "files": dict,
    "neutral": list,
    "tune": dict,
}


def _is_sound(data: dict[str, Any]) -> bool:
    """Return whether data has what a component has, and nothing else, each of its type."""
    known = data.keys() <= {*_TYPES, "source"} and {"kind", "name"} <= data.keys()
    return known and all(isinstance(data[name], wanted) for name, wanted in _TYPES.items() if name in data)


def _to_data(value: Any) -> Any:
    if isinstance(value, list):
        return [_to_data(item) for item in value]
    return {"component": value.to_data()} if isinstance(value, Component) else value


def _from_data(value: Any) -> Any:
    if isinstance(value, list):
        return [_from_data(item) for item in value]
    is_component = isinstance(value, dict) and value.keys() == {"component"}
    return Component.from_data(value["component"]) if is_component else value


def _identity(value: Any) -> Any:
    if isinstance(value, list):
        return [_identity(item) for item in value]
    return value.identity() if isinstance(value, Component) else value


def components_in(value: Any) -> Iterator[Component]:
    """Yield the components that JSON-able data holds, such as the spec of a stage, and those that they are made of."""
    if isinstance(value, dict):
        if {"kind", "name", "parameters", "plugin"} <= value.keys():
            yield Component.from_data(value)
        for item in value.values():
            yield from components_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from components_in(item)
