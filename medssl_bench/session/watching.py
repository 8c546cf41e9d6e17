"""The watchers that a user asks for: components that follow a run, such as experiment trackers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import PluginError, UserError
from medssl_bench.plugin.guarded import make
from medssl_bench.plugin.hooks import watched_hooks, wrong_with_hooks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.manager import Plugins


@contextmanager
def followed(plugins: Plugins, watch: Sequence[str | Mapping[str, Any]]) -> Iterator[None]:
    """Let watchers follow what runs in the block.

    Args:
        plugins: where they come from, and what tells them.
        watch: each a name, or a table with its ``name`` and parameters.

    Raises:
        UserError: there is no such watcher, a parameter is not valid, or one is asked for twice.
        PluginError: it cannot be made.
    """
    if isinstance(watch, str):
        raise UserError(f"watch = {watch!r}: give a list of watchers, as in watch=[{watch!r}]")
    registry = plugins.registry
    chosen = [registry.resolve_or_raise("watcher", each if isinstance(each, str) else dict(each)) for each in watch]
    names = [component.name for component in chosen]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"watcher {twice!r} is asked for twice; once is enough")
    made = {f"watcher/{component.name}": make_watcher(plugins, component) for component in chosen}
    for name, watcher in made.items():
        plugins.manager.register(watcher, name=name)  # no plugin has a slash in its name
    try:
        yield
    finally:
        for watcher in made.values():
            if plugins.manager.is_registered(watcher):  # one that has raised is left out
                plugins.manager.unregister(watcher)


def make_watcher(plugins: Plugins, component: Component) -> object:
    """Make a watcher, and check that it has hooks of a run.

    Raises:
        PluginError: it cannot be made, or it is none.
    """
    made: object = make(plugins.registry, component)
    title = f"watcher {component.name!r}"
    if wrong := wrong_with_hooks(made):
        raise PluginError(f"{title}: {wrong}")
    if not watched_hooks(made):
        what = f"its factory gives {type(made).__name__}, which has no hook of a run"
        raise PluginError(f"{title}: {what}; mark its methods with @hookimpl")
    return made
