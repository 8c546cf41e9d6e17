"""The checks of ``check-plugin`` for a plugin's own tests: each is a parameter of a test, with a name for ``-k``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medssl_bench.datasets import DatasetContext
from medssl_bench.datasets.locations import dataset_context
from medssl_bench.errors import UserError
from medssl_bench.plugin.manager import Plugins, load_plugins
from medssl_bench.plugin.registry import Plugin
from medssl_bench.testing.checking import Check, Group, Step, run_steps
from medssl_bench.testing.run import Given, phases, title_of
from medssl_bench.testing.watchers import watcher_steps


class ContractBroken(AssertionError):
    """A component does not hold to the contract; the message says how."""


@dataclass
class NamedCheck:
    """One check of one component; call it to run it.

    Attributes:
        component: kind and name of what is checked.
        name: what is checked.
        builds_on: checks without which this one says nothing: where one of them has failed, this one is skipped.
        failed: whether it has failed when it was run last.
    """

    component: str
    name: str
    _run: Callable[[], Check] = field(repr=False)
    builds_on: tuple[NamedCheck, ...] = field(default=(), repr=False)
    failed: bool = field(default=False, repr=False)

    def __str__(self) -> str:
        return f"{self.component}: {self.name}"

    def __call__(self) -> str:
        """Run it, and return what was found.

        Raises:
            ContractBroken: the component does not hold to the contract.
        """
        __tracebackhide__ = True  # pytest shows the test's own line, and what is wrong
        for other in self.builds_on:
            if other.failed:
                import pytest

                pytest.skip(f"not checked until this holds: {other}")
        check = self._run()
        self.failed = not check.ok
        if self.failed:
            raise ContractBroken(f"{self}: {check.found}")
        return check.found


def plugin_checks(
    name: str, given: Mapping[str, Mapping[str, Any]] | None = None, data_dir: str | Path | None = None
) -> list[NamedCheck]:
    """Return the checks of a plugin, to be the parameters of a test.

    Write in a test of the plugin::

        @pytest.mark.parametrize("check", plugin_checks("my-plugin"), ids=str)
        def test_it_holds_to_the_contract(check):
            check()

    Components are built here, as the checks depend on what they are; one that cannot be built has a check that fails.

    Args:
        name: of an installed plugin, or a Python file.
        given: parameters for components that have required ones, by ``KIND:NAME``.
        data_dir: folder of data files; None: as for any command.

    Raises:
        UserError: there is no such plugin, or a key of `given` names no component of it.
    """
    plugins = load_plugins()
    plugin = plugins.find(name)
    title = f"plugin {plugin.name}"
    loads = Check(title, "loads", ok=not plugin.problem, found=plugin.problem or "yes")
    checks = [NamedCheck(title, "loads", lambda: loads)]
    if plugin.problem:
        return checks
    parameters = _given(plugins, plugin, given or {})
    context = dataset_context(data_dir)
    for entry in plugins.registry.of(plugin.name):
        checks += _component(plugins, entry, parameters.get((entry.kind.name, entry.name), {}), context)
    if plugins.watched(plugin.name):
        checks += _named(title, watcher_steps(plugins, plugin.name))
    return checks


def _component(plugins: Plugins, entry: Any, values: Mapping[str, Any], context: DatasetContext) -> list[NamedCheck]:
    title = title_of(entry)
    found: list[NamedCheck] = []
    for phase in phases(plugins, entry, values, context):
        if not phase.essential:
            found += _named(title, phase.groups)
            continue
        checks = list(run_steps(title, phase.groups))
        found += [NamedCheck(title, check.name, lambda check=check: check) for check in checks]  # type: ignore[misc]
        if not all(check.ok for check in checks):
            break
    return found


def _named(title: str, groups: Iterable[Group]) -> list[NamedCheck]:
    found: list[NamedCheck] = []
    for group in groups:
        before = tuple(found)
        found += [NamedCheck(title, step[0], _runs(title, step), before) for step in group]
    return found


def _runs(title: str, step: Step) -> Callable[[], Check]:
    return lambda: next(run_steps(title, [[step]]))


def _given(plugins: Plugins, plugin: Plugin, given: Mapping[str, Mapping[str, Any]]) -> Given:
    known = {(entry.kind.name, entry.name) for entry in plugins.registry.of(plugin.name)}
    parameters = {}
    for component, values in given.items():
        kind, _, of = component.partition(":")
        if (kind, of) not in known:
            there = ", ".join(":".join(pair) for pair in sorted(known)) or "none"
            raise UserError(f"plugin {plugin.name!r} has no component {component!r}; it has: {there}")
        parameters[kind, of] = values
    return parameters
