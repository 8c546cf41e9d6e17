"""The registry: every component of every plugin, by kind and name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from medssl_bench.errors import PluginError, UserError, did_you_mean
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.content import TARGET, files_digest
from medssl_bench.plugin.entry import Entry, Plugin, Register
from medssl_bench.plugin.fields import Unfit
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.parameters import Components, OneComponent, ParameterProblem
from medssl_bench.plugin.tuning import TUNE, make_tuned, tuned

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass
class Registry:
    """Components by kind and name. Names are unique within a kind: a second registration is refused."""

    entries: dict[str, dict[str, Entry]] = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def add(self, entry: Entry) -> None:
        """Add a component.

        Raises:
            PluginError: the entry is not a usable component.
            NameCollision: another plugin has registered the name already.
        """
        if not isinstance(entry.name, str) or not _NAME.fullmatch(entry.name):
            raise PluginError(
                f"{entry.name!r} is not a name for {entry.kind.name}; use letters, digits, '_', '.' and '-'"
            )
        if isinstance(entry.revision, bool) or not isinstance(entry.revision, int) or entry.revision < 1:
            raise PluginError(f"{entry.title}: revision must be an integer from 1, not {entry.revision!r}")
        if entry.work is not None and (entry.kind.name != "method" or not callable(entry.work)):
            raise PluginError(f"{entry.title}: `work` is a function, and for methods, not {entry.work!r}")
        if isinstance(entry.target, str):
            if not TARGET.fullmatch(entry.target):
                raise PluginError(f"{entry.title}: {entry.target!r} is not 'module:attribute'")
        else:
            _ = entry.table
        known = self.entries[entry.kind.name]
        if entry.name in known and known[entry.name].plugin.name == entry.plugin.name:
            raise PluginError(f"{entry.title} is registered twice")
        if entry.name in known:
            raise NameCollision(entry, known[entry.name])
        known[entry.name] = entry

    def remove(self, plugin: str) -> None:
        """Withdraw every component of a plugin."""
        for named in self.entries.values():
            for name in [name for name, entry in named.items() if entry.plugin.name == plugin]:
                del named[name]

    def find(self, kind: str, name: str) -> Entry:
        """Return a component.

        Raises:
            UserError: there is none of that name, or no such kind.
        """
        if kind not in self.entries:
            raise UserError(f"there is no kind of component {kind!r}")
        known = self.entries[kind]
        if name in known:
            return known[name]
        known_names = ", ".join(sorted(known)) or "none"
        hint = did_you_mean(name, known) or f"; there are: {known_names}"
        raise UserError(f"there is no {kind} {name!r}{hint}")

    def of(self, plugin: str) -> list[Entry]:
        """Return what a plugin provides."""
        return [e for named in self.entries.values() for e in named.values() if e.plugin.name == plugin]

    def resolve(self, kind: str, value: Any, base: Path) -> Component:
        """Validate a component as a suite writes it.

        Args:
            kind: name of its kind.
            value: a name, a table with ``name`` and parameters, or, for an augmentation, a list of ops.
            base: folder that relative paths start from.

        Raises:
            ParameterProblem: the value is not valid; its path leads to the offending part.
        """
        name, values = _split(kind, value)
        try:
            entry = self.find(kind, name)
            table = entry.table
        except UserError as error:
            raise ParameterProblem(("name",) if isinstance(value, dict) else (), str(error)) from error
        if TUNE in values and entry.kind.tuned:
            rest = {each: value for each, value in values.items() if each != TUNE}
            return tuned(lambda given: self._resolved(entry, given, base), table, rest, values[TUNE])
        return self._resolved(entry, values, base)

    def _resolved(self, entry: Entry, values: dict[str, Any], base: Path) -> Component:
        """Return a component of an entry and of its parameters as a suite writes them."""
        kind, name, table = entry.kind.name, entry.name, entry.table
        try:
            valid = table.validate(values, base)
        except ParameterProblem as problem:
            raise ParameterProblem(problem.path, f"{kind} {name!r}: {problem.message}") from None
        at_default = {name for name in entry.later if valid[name] == table.defaults[name]}
        digests = {p: self._digest(p, valid[p], entry) for p in table.path_names() if valid[p] is not None}
        for parameter, nested in table.nested.items():
            valid[parameter] = self._resolve_nested(nested, parameter, valid[parameter], base)
        if wrong := self.too_long(valid.get("schedule"), valid.get("epochs"), "epochs"):
            raise ParameterProblem(("schedule", wrong[0]), f"{kind} {name!r}: {wrong[1]}")
        self._try_out(entry, valid)
        return Component(
            kind=kind,
            name=name,
            parameters=valid,
            revision=entry.revision,
            plugin=entry.plugin.name,
            source=entry.plugin.source,
            files=digests,
            neutral=tuple(
                name
                for name in valid
                if name in at_default | table.for_readers
                or (name in table.neutral and valid[name] == table.neutral[name])
            ),
        )

    @staticmethod
    def _digest(parameter: str, path: str, entry: Entry) -> str | None:
        """Return the digest of a file that a parameter names; None: it is not there, or a data set's folder."""
        is_file, kind = os.path.isfile(path), entry.kind.name  # noqa: PTH113 - Path's raises on impossible names
        if kind != "dataset" and os.path.exists(path) and not is_file:  # noqa: PTH110
            what = "a folder" if os.path.isdir(path) else "a pipe or a device"  # noqa: PTH112
            raise ParameterProblem((parameter,), f"{path} is {what}; {kind} {entry.name!r} takes a file")
        try:
            looks = entry.table.checks.get(parameter) if is_file else None
            if looks:
                looks.check(Path(path))
            return files_digest([path, *(looks.others(Path(path)) if looks and looks.others else ())])
        except ValueError as error:
            raise ParameterProblem((parameter,), f"{path}: {error}") from error
        except OSError as error:
            raise ParameterProblem((parameter,), f"{path}: cannot be read ({error.strerror})") from error

    def resolve_or_raise(self, kind: str, value: Any, base: Path = Path()) -> Component:
        """Return `resolve`, for a component that no suite names.

        Raises:
            UserError: the value is not valid.
        """
        try:
            return self.resolve(kind, value, base)
        except ParameterProblem as problem:
            raise UserError(problem.text) from None

    def _resolve_nested(self, nested: Components | OneComponent, parameter: str, value: Any, base: Path) -> Any:
        """Resolve the components that a parameter holds."""
        if isinstance(nested, OneComponent):
            return None if value is None else self._resolve_at(nested.kind, value, base, (parameter,))
        if not isinstance(value, list):
            raise ParameterProblem((parameter,), f"expected a list of {nested.kind}s, not {value!r}")
        return [self._resolve_at(nested.kind, item, base, (parameter, index)) for index, item in enumerate(value)]

    def _resolve_at(self, kind: str, value: Any, base: Path, path: tuple[str | int, ...]) -> Component:
        try:
            return self.resolve(kind, value, base)
        except ParameterProblem as problem:
            raise ParameterProblem((*path, *problem.path), problem.message) from None

    def too_long(self, schedule: Any, length: Any, unit: str) -> tuple[str, str] | None:
        """Return which parameter of a schedule does not fit into a training, such as a warm-up, and why; else None.

        Args:
            schedule: with parameters in the unit of the duration; anything else is none.
            length: the duration of the training, as the suite has it: not scaled; anything but an integer is none.
            unit: how the suite calls that.
        """
        if not isinstance(schedule, Component) or not isinstance(length, int):
            return None
        for name, mark in self.find("schedule", schedule.name).table.in_duration.items():
            value = schedule.parameters[name]
            if mark.below and value is not None and value >= length:
                why = f"{name} = {value} takes all of the training ({unit} = {length}), so nothing follows it"
                return name, f"{why}; give less than {length}, or train for longer"
        return None

    def build(self, component: Component, **supplies: Any) -> Any:
        """Make a component.

        Args:
            component: what to make.
            supplies: the positional arguments of its kind, by name (nested components get the same).

        Raises:
            UserError: this process has no such component, or has another revision of it.
        """
        entry = self.find(component.kind, component.name)
        if (entry.plugin.name, entry.revision) != (component.plugin, component.revision):
            raise UserError(
                f"{entry.title} has revision {entry.revision} here; the plan asks for revision "
                f"{component.revision} of plugin {component.plugin!r}"
            )
        if component.tune:
            return make_tuned(component, lambda each: self.build(each, **supplies))
        given = {**self._added_since(entry, component), **component.parameters}
        try:
            values = entry.table.typed(given)
        except ParameterProblem as problem:
            raise UserError(f"{entry.title}: {problem.text}") from problem
        for name in entry.table.nested:
            values[name] = self._build_nested(given[name], supplies)
        try:
            return entry.table.make(tuple(supplies[name] for name in entry.kind.receives), values)
        except Unfit as refused:
            raise PluginError(f"{entry.title}: {refused}") from refused

    def _added_since(self, entry: Entry, component: Component) -> dict[str, Any]:
        """Return the defaults of the parameters that a component has got since a record of it was made."""
        table = entry.table
        return {
            name: self._resolve_nested(table.nested[name], name, value, Path()) if name in table.nested else value
            for name, value in table.defaults.items()
            if name not in component.parameters
        }

    def _try_out(self, entry: Entry, parameters: dict[str, Any]) -> None:
        """Let a dataclass or model look at its parameters, unless it holds components that only a stage can build."""
        table = entry.table
        if not table.has_fields or any(isinstance(parameters[name], list) for name in table.nested):
            return
        values = table.typed(parameters) | {name: self._build_nested(parameters[name], {}) for name in table.nested}
        try:
            table.instantiate(values)
        except Unfit as refused:
            path = (refused.field,) if refused.field in parameters else ()
            raise ParameterProblem(path, f"{entry.kind.name} {entry.name!r}: {refused.message}") from refused

    def _build_nested(self, value: Any, supplies: dict[str, Any]) -> Any:
        if isinstance(value, list):
            return [self.build(item, **supplies) for item in value]
        return None if value is None else partial(self.build, value)


class NameCollision(UserError):
    """Two plugins register the same name."""

    def __init__(self, second: Entry, first: Entry) -> None:
        super().__init__(
            f"plugins {first.plugin.name!r} and {second.plugin.name!r} both register {first.kind.name} "
            f"{first.name!r}; rename it in one of them, or block one with "
            f"-p no:{first.plugin.name} or -p no:{second.plugin.name}"
        )


def _split(kind: str, value: Any) -> tuple[str, dict[str, Any]]:
    """Return the name and the parameters of a component as a suite writes it."""
    if isinstance(value, str):
        return value, {}
    if isinstance(value, list) and kind == "augmentation":
        return "sequence", {"ops": value}
    if isinstance(value, dict):
        name = value.get("name")
        if isinstance(name, str):
            return name, {key: item for key, item in value.items() if key != "name"}
        raise ParameterProblem((), f'a table for {kind} needs a name, as in {{ name = "..." }}')
    expected = "a name, a table or a list of ops" if kind == "augmentation" else "a name or a table"
    raise ParameterProblem((), f"expected {expected} for {kind}, not {value!r}")


__all__ = ["Entry", "NameCollision", "Plugin", "Register", "Registry"]
