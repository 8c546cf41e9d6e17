"""What a factory declares: its keyword-only parameters."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import PluginError
from medssl_bench.plugin.declaration import Declaration, no_such_type

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from medssl_bench.plugin.kinds import Kind


def of_factory(factory: Callable[..., Any], kind: Kind) -> Declaration:
    """Return what a function or class declares whose positional parameters are those of a kind.

    Raises:
        PluginError: its signature is not one that the harness can call.
    """
    keywords = _keywords(factory, kind)
    return Declaration(
        types=_hints(factory, keywords),
        defaults={name: p.default for name, p in keywords.items() if p.default is not p.empty},
    )


def positional(parameters: list[inspect.Parameter]) -> tuple[str, ...]:
    """Return the names of the parameters that can be given by position."""
    return tuple(p.name for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD})


def fits(factory: Callable[..., Any], kind: Kind) -> bool:
    """Return whether something has the signature of a factory of a kind."""
    parameters = list(inspect.signature(factory).parameters.values())
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
    return positional(parameters) == kind.receives and len(parameters) == len(kind.receives) + len(keywords)


def _keywords(factory: Callable[..., Any], kind: Kind) -> dict[str, inspect.Parameter]:
    """Return the keyword-only parameters of a factory whose positional ones are those of its kind."""
    if not callable(factory):
        raise PluginError(f"{factory!r} is not a function, a class or 'module:attribute'")
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError) as error:
        raise PluginError(f"its signature cannot be read: {error}") from error
    given = positional(parameters)
    wanted = f"({', '.join((*kind.receives, '*', '...'))})"
    if given != kind.receives:
        raise PluginError(
            f"the factory of {kind.name} must have the signature {wanted}; this one takes ({', '.join(given)})"
        )
    keywords = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
    if len(keywords) + len(given) != len(parameters):
        raise PluginError(f"the factory of {kind.name} must have the signature {wanted}, without *args or **kwargs")
    for parameter in keywords.values():
        if parameter.annotation is parameter.empty:
            raise PluginError(f"parameter {parameter.name!r} has no type; write '{parameter.name}: float' or the like")
    return keywords


def _hints(factory: Callable[..., Any], keywords: Mapping[str, inspect.Parameter]) -> dict[str, Any]:
    """Return the evaluated annotations of the keyword parameters alone.

    The others may name types that are imported for type checkers only.
    """
    function: Any = factory
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function.__init__ if inspect.isclass(function) else function)
    holder = types.SimpleNamespace(__annotations__={n: p.annotation for n, p in keywords.items()})
    with no_such_type():
        return typing.get_type_hints(holder, globalns=getattr(function, "__globals__", {}), include_extras=True)
