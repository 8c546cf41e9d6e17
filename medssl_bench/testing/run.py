"""Checks every component of a plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import UserError, did_you_mean
from medssl_bench.methods.work import passes_of
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.kinds import find_kind
from medssl_bench.plugin.manager import Plugins
from medssl_bench.plugin.registry import Entry, Plugin
from medssl_bench.testing.checking import Check, Group, require, run_steps
from medssl_bench.testing.claims import claims_steps
from medssl_bench.testing.datasets import dataset_steps
from medssl_bench.testing.encoders import encoder_steps
from medssl_bench.testing.evaluators import evaluator_steps
from medssl_bench.testing.executors import executor_steps
from medssl_bench.testing.methods import method_steps
from medssl_bench.testing.metrics import metric_steps
from medssl_bench.testing.optimizers import optimizer_steps
from medssl_bench.testing.schedules import schedule_steps
from medssl_bench.testing.views import op_steps, view_steps
from medssl_bench.testing.watchers import watcher_steps

Given = Mapping[tuple[str, str], Mapping[str, Any]]
"""Parameters to build components with, by kind and name."""


def check_plugin(plugins: Plugins, plugin: Plugin, given: Given, context: DatasetContext) -> Iterator[Check]:
    """Check everything that a plugin registers.

    Args:
        plugins: the plugins of this process.
        plugin: one of them.
        given: parameters, for components that have required ones.
        context: where data sets find files.
    """
    title = f"plugin {plugin.name}"
    if plugin.problem:
        yield Check(title, "loads", ok=False, found=plugin.problem)
        return
    entries = plugins.registry.of(plugin.name)
    watched = plugins.watched(plugin.name)
    yield Check(title, "loads", ok=True, found=", ".join([f"{len(entries)} component(s)", *watched]))
    for entry in entries:
        yield from check_component(plugins, entry, given.get((entry.kind.name, entry.name), {}), context)
    if watched:
        yield from run_steps(title, watcher_steps(plugins, plugin.name))


def check_component(
    plugins: Plugins, entry: Entry, values: Mapping[str, Any], context: DatasetContext
) -> Iterator[Check]:
    """Check one component, built with these parameters and the defaults of the others.

    A parameter ``epochs`` that is not given is 2 where it may be, as the contract needs no good results.
    """
    title = title_of(entry)
    for phase in phases(plugins, entry, values, context):
        failed = False
        for check in run_steps(title, phase.groups):
            yield check
            failed |= not check.ok
        if failed and phase.essential:
            return


def component_of(plugins: Plugins, plugin: Plugin, text: str) -> tuple[str, str]:
    """Return kind and name of a component of a plugin, written as ``KIND:NAME``.

    Raises:
        UserError: it is not written so, there is no such kind, or the plugin has no such component.
    """
    word, colon, name = text.partition(":")
    if not colon:
        raise UserError(f"{text}: write KIND:NAME, as in dataset:npz")
    try:
        kind = find_kind(word).name
    except UserError as error:
        raise UserError(f"{text}: {error}") from None
    known = [entry.name for entry in plugins.registry.of(plugin.name) if entry.kind.name == kind]
    if name not in known:
        hint = did_you_mean(name, known) or f"; it has: {', '.join(known) or 'none'}"
        raise UserError(f"{text}: plugin {plugin.name!r} has no {kind} {name!r}{hint}")
    return kind, name


def title_of(entry: Entry) -> str:
    """Return what checks of a component begin with: its kind and name."""
    return f"{entry.kind.name} {entry.name}"


@dataclass(frozen=True)
class Phase:
    """Groups of steps; the steps of an essential one must be run before the next phase is asked for.

    Attributes:
        groups: the steps.
        essential: whether there is nothing to check after it where it fails.
    """

    groups: list[Group]
    essential: bool = False


def phases(plugins: Plugins, entry: Entry, values: Mapping[str, Any], context: DatasetContext) -> Iterator[Phase]:
    """Give the phases in which one component is checked; arguments as of `check_component`."""
    yield Phase([[("factory", lambda: _factory(entry))]], essential=True)
    yield Phase([_described(entry)])
    missing = [p.name for p in entry.table.parameters() if p.required and p.name not in values]
    missing += [name for name, other in entry.table.or_else.items() if name not in values and other not in values]
    if missing or entry.kind.name == "reference":
        what = f"needs {', '.join(missing)}" if missing else "is made for a table's name"
        hint = f"; give --with {entry.kind.name}:{entry.name} '{missing[0]} = ...'" if missing else ""
        yield Phase([[("behaviour", lambda: f"not checked: it {what}{hint}")]])
        return
    made: list[Component] = []
    yield Phase([[("its parameters are valid", lambda: _resolve(plugins, entry, values, made))]], essential=True)
    groups: list[Group] = []
    yield Phase([[("can be built", lambda: _build(plugins, made[0], context, groups))]], essential=True)
    yield Phase(groups)


def _described(entry: Entry) -> Group:
    return [
        ("documentation", lambda: _documentation(entry)),
        ("JSON Schema", lambda: f"{len(entry.table.json_schema().get('properties', {}))} parameter(s)"),
    ]


def _factory(entry: Entry) -> str:
    parameters = ", ".join(parameter.name for parameter in entry.table.parameters())
    return f"takes {parameters}" if parameters else "takes no parameters"


def _documentation(entry: Entry) -> str:
    require(entry.summary, "its factory has no docstring; the first line is what `list` shows")
    without = [parameter.name for parameter in entry.table.parameters() if not parameter.doc]
    require(not without, f"its docstring says nothing of {', '.join(without)}; add them to a section 'Args:'")
    return entry.summary


def _resolve(plugins: Plugins, entry: Entry, values: Mapping[str, Any], made: list[Component]) -> str:
    component = _component(plugins, entry, values)
    if isinstance(component.parameters.get("epochs"), int) and "epochs" not in values:
        with suppress(UserError):  # it may ask for more than two
            component = _component(plugins, entry, {**values, "epochs": 2})
    made.append(component)
    return "yes"


def _component(plugins: Plugins, entry: Entry, values: Mapping[str, Any]) -> Component:
    return plugins.registry.resolve_or_raise(entry.kind.name, {**values, "name": entry.name})


def _build(plugins: Plugins, component: Component, context: DatasetContext, groups: list[Group]) -> str:
    """Add the groups of steps for a component of its kind, which may build it to begin with."""

    def build(**supplies: Any) -> Any:
        return plugins.registry.build(component, **supplies)

    makers = {
        "augmentation": lambda: view_steps(lambda size: build(size=size)),
        "op": lambda: op_steps(lambda size: build(size=size)),
        "encoder": lambda: encoder_steps(lambda size: build(size=size)),
        "method": lambda: method_steps(
            lambda encoder, about: build(encoder=encoder, context=about),
            lambda size: passes_of(plugins.registry.find("method", component.name), component.parameters, size),
            plugins.registry,
        ),
        "evaluator": lambda: evaluator_steps(build),
        "metric": lambda: metric_steps(component.name, build),
        "optimizer": lambda: optimizer_steps(lambda groups, recorded: build(groups=groups, recorded=recorded)),
        "schedule": lambda: schedule_steps(build),
        "dataset": lambda: dataset_steps(lambda: build(context=context)),
        "executor": lambda: executor_steps(build, plugins),
        "watcher": lambda: watcher_steps(plugins, component.plugin, component),
        "claims": lambda: claims_steps(build),
    }
    groups.extend(makers[component.kind]())
    return "yes"
