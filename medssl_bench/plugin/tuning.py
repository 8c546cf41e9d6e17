"""``tune``: values of a component's parameters of which validation labels choose one combination."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib import import_module
from itertools import product
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import did_you_mean
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.parameters import ParameterProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from medssl_bench.plugin.parameters import ParameterTable

TUNE = "tune"
"""The key of a component's table under which the values stand, in kinds that have something tuned."""

_MOST = 200
"""Candidates of one component."""

_FIXED = {"precision": "it is the arithmetic of the training, the same for all candidates"}
"""Parameters that are not chosen, and why."""


def tuned(
    resolve: Callable[[dict[str, Any]], Component], table: ParameterTable, values: Mapping[str, Any], tune: Any
) -> Component:
    """Return a component with values to tune; every candidate is validated.

    Args:
        resolve: returns the component of its parameters' values.
        table: the parameters that there are.
        values: of the parameters that are not tuned, as the suite writes them.
        tune: what stands under ``tune``.

    Raises:
        ParameterProblem: it is no table of lists, a name or a value is not valid, or there is nothing to choose.
    """
    if not isinstance(tune, dict) or not tune:
        raise ParameterProblem(
            (TUNE,), f"expected lists of values by parameter, as in {{ lr = [0.001, 0.01] }}, not {tune!r}"
        )
    for name, choices in tune.items():
        _check(name, choices, table, values)
    count = math.prod(map(len, tune.values()))
    if not 2 <= count <= _MOST:
        raise ParameterProblem((TUNE,), f"{count:,} candidate(s); give from 2 to {_MOST}")
    found: dict[str, list[Any]] = {name: [None] * len(choices) for name, choices in tune.items()}
    first: Component | None = None
    for places in product(*(range(len(choices)) for choices in tune.values())):
        at = dict(zip(tune, places, strict=True))
        try:
            component = resolve({**values, **{name: tune[name][place] for name, place in at.items()}})
        except ParameterProblem as problem:
            raise _placed(problem, at, tune) from None
        first = first or component
        for name, place in at.items():
            found[name][place] = component.parameters[name]
    assert first is not None
    return replace(first, tune=found)


def make_tuned(component: Component, build: Callable[[Component], Any]) -> Any:
    """Return what chooses among the candidates of a component.

    Args:
        component: with values to tune.
        build: makes one candidate.
    """
    module, _, name = KINDS[component.kind].tuned.partition(":")
    settings, candidates = zip(*component.candidates(), strict=True)
    return getattr(import_module(module), name)(
        [build(each) for each in candidates], [_plain(each) for each in settings]
    )


def _check(name: str, choices: Any, table: ParameterTable, values: Mapping[str, Any]) -> None:
    fields = table.model.model_fields
    if name not in fields:
        takes = f"it takes {', '.join(fields)}" if fields else "it takes no parameters"
        raise ParameterProblem((TUNE, name), f"unknown parameter{did_you_mean(name, fields)}; {takes}")
    if name in values:
        raise ParameterProblem((TUNE, name), f"{name} has a value already: leave it out there, or here")
    if name in _FIXED or name in table.path_names():
        why = _FIXED.get(name, "a file is no value to choose; make an arm for each")
        raise ParameterProblem((TUNE, name), f"{name} cannot be tuned: {why}")
    if not isinstance(choices, list) or not choices:
        raise ParameterProblem((TUNE, name), f"expected a list of values to try, not {choices!r}")
    for place, value in enumerate(choices):
        if value in choices[:place]:
            raise ParameterProblem((TUNE, name, place), f"{value!r} is there already; each may stand once")


def _placed(problem: ParameterProblem, at: Mapping[str, int], tune: Mapping[str, Any]) -> ParameterProblem:
    """Return the problem of a candidate where the suite has the value that is to blame."""
    if problem.path and problem.path[0] in at:
        name = str(problem.path[0])
        return ParameterProblem((TUNE, name, at[name], *problem.path[1:]), problem.message)
    if problem.path:
        return problem
    which = ", ".join(f"{name} = {tune[name][place]!r}" for name, place in at.items())
    return ParameterProblem((TUNE,), f"{problem.message} (with {which})")


def _plain(value: Any) -> Any:
    """Return values with components as tables of text and numbers."""
    if isinstance(value, Component):
        return {"name": value.name, **{name: _plain(each) for name, each in value.parameters.items()}}
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value
