"""Turns the errors of a component outside a stage into one line."""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import DataError, PluginError, told
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.stopping import Stopped, is_stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry


@contextmanager
def asking(component: Component) -> Iterator[None]:
    """Turn whatever a component raises into an error that names it; what it prints goes to standard error.

    Raises:
        DataError: as raised; a data set names itself.
        PluginError: anything else was raised, but an interrupt, which passes through.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except BaseException as error:
        if is_stop(error):
            raise Stopped from error
        if isinstance(error, DataError):
            raise
        raise PluginError(f"{component.kind} {component.name!r}: {told(error)}") from error


def make(registry: Registry, component: Component, **supplies: Any) -> Any:
    """Make a component as `Registry.build` does, and check that it is what its kind must be.

    Raises:
        DataError: a data set's files are not valid.
        PluginError: the factory raises, or gives something else.
    """
    with asking(component):
        made = registry.build(component, **supplies)
    wanted = KINDS[component.kind].makes
    if wanted:
        module, _, name = wanted.partition(":")
        if not isinstance(made, getattr(import_module(module), name)):
            raise PluginError(
                f"{component.kind} {component.name!r}: its factory gives {type(made).__name__}, not {name}"
            )
    return made
