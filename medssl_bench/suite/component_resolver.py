"""Finds the components that a suite names, and notes every problem where it stands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, get_args

from medssl_bench.errors import Problem, UserError
from medssl_bench.key_path import key_text
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.guarded import make
from medssl_bench.plugin.parameters import ParameterProblem
from medssl_bench.suite.aliases import Aliases, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from medssl_bench.evaluators import Evaluator
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.suite import schema
    from medssl_bench.suite.positions import Node

Key = tuple[str | int, ...]


class Unresolved(Exception):
    """Something was not found; the problem is noted already."""


class ComponentResolver:
    """Resolves the components of one suite.

    Args:
        model: the checked document.
        root: the document with positions.
        registry: the components there are.
        base: the folder of the suite file, from which relative paths start.
    """

    def __init__(self, model: schema.SuiteModel, root: Node, registry: Registry, base: Path) -> None:
        self.model = model
        self.root = root
        self.registry = registry
        self.base = base
        self.aliases = Aliases(model, registry)
        self.problems: list[Problem] = []
        self.missing: dict[Problem, list[Component]] = {}
        self.places: list[tuple[Component, Key]] = []

    def component(self, kind: str, value: Any, settings: Mapping[str, Any] | None = None) -> Component:
        """Return a component that the suite does not name itself, written as in a suite.

        Args:
            kind: name of its kind.
            value: a name, which may be that of one of the suite's own tables, a table, or a list of ops.
            settings: parameters that stand instead of the value's.

        Raises:
            UserError: it means nothing, or a list of ops is given parameters.
        """
        meant = self.aliases.written_out(kind, value)
        if settings:
            if isinstance(meant, list):
                message = "is a list of ops, which has no parameters of its own; change the ops in the suite"
                raise UserError(f"the {kind} {message}")
            meant = self.aliases.written_out(
                kind, {**({"name": meant} if isinstance(meant, str) else meant), **settings}
            )
        return self.registry.resolve_or_raise(kind, meant, self.base)

    def attempt(self, step: Any, *arguments: Any) -> Any:
        """Run a step; note what it cannot resolve and go on, so that all problems are reported at once."""
        try:
            return step(*arguments)
        except Unresolved:
            return None

    def fail(self, key: Key, message: str) -> Unresolved:
        """Note a problem at a key; raise what is returned if nothing can be done without it."""
        self.problems.append(Problem(self.root.locate(key), key_text(key), message))
        return Unresolved()

    def unique(self, names: Sequence[str | None], key: Key, *field: str, hint: str = "") -> None:
        """Note every item of a list that is called as an earlier one is; None is one that was not resolved."""
        first: dict[str | None, int] = {}
        for place, name in enumerate(names):
            if first.setdefault(name, place) != place and name is not None:
                there = f"{name!r} is there already, at {key_text((*key, first[name]))}"
                self.fail((*key, place, *field), f"{there}; each may stand once{hint}")

    def resolved(self, kind: str, value: Any, key: Key) -> Component:
        """Resolve a component; a name of the suite's own table of that kind means the component of that table."""
        given: dict[str, Any] = value if isinstance(value, dict) else {}
        alias = self.aliases.has(kind, value)
        meant = self.aliases.written_out(kind, value)
        try:
            component = self.registry.resolve(kind, meant, self.base)
        except ParameterProblem as problem:
            inside = problem.path and problem.path[0] in given and problem.path[0] != "name"
            where = key if inside or not alias else (kind, name_of(value))
            path = problem.path[1:] if isinstance(meant, list) and problem.path[:1] == ("ops",) else problem.path
            raise self.fail((*where, *path), problem.message) from None
        place: Key = (kind, name_of(value)) if alias else key
        self._note_missing(component, place)
        self.places.append((component, place))
        return component

    def _note_missing(self, component: Component, key: Key) -> None:
        entry = self.registry.find(component.kind, component.name)
        for name in entry.table.path_names():
            path = component.parameters[name]
            if path is not None and not os.path.exists(path):  # noqa: PTH110 - Path.exists raises on impossible names
                where = (*key, name)
                problem = Problem(self.root.locate(where), key_text(where), f"there is no file or folder {path}")
                self.missing.setdefault(problem, []).append(component)

    def built(self, component: Component, key: Key) -> Evaluator:
        """Return the evaluator that a component describes.

        Raises:
            Unresolved: it cannot be made, or needs what no evaluator can get; noted at the key.
        """
        try:
            evaluator: Evaluator = make(self.registry, component)
        except UserError as error:
            raise self.fail(key, str(error)) from error
        from medssl_bench.evaluators.base import Needs

        known = get_args(Needs)
        if evaluator.needs not in known:
            message = f"evaluator {component.name!r} needs {evaluator.needs!r}, which is none of {', '.join(known)}"
            raise self.fail(key, message)
        return evaluator


def label_of(value: Any) -> str:
    """Return what tables call a component: its name, and the parameters that are given, but for a path."""
    if not isinstance(value, dict):
        return str(value)
    given = " ".join(f"{name}={item}" for name, item in value.items() if name not in {"name", "path"})
    return f"{value.get('name', '')} {given}".strip()
