"""``medssl-bench plugins``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import json_option, load_plugins

if TYPE_CHECKING:
    from medssl_bench.plugin.manager import Plugins
    from medssl_bench.plugin.registry import Plugin


@click.command("plugins")
@json_option
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """Show every plugin that was found, where it comes from, and what it provides; also the broken and blocked ones."""
    plugins = load_plugins(context)
    if as_json:
        click.echo(json.dumps([_data(plugins, plugin) for plugin in plugins.found], indent=1))
        return
    from rich.text import Text

    from medssl_bench.cli.console import standard_output

    console = standard_output()
    for plugin in plugins.found:
        source = " ".join(filter(None, [plugin.origin, plugin.distribution, plugin.version]))
        console.print(Text(plugin.name, style="bold cyan"), Text(f"({source})", style="dim"))
        if plugin.problem:
            console.print(Text(f"  not used: {plugin.problem}", style="red"))
        for kind, names in _provided(plugins, plugin).items():
            console.print(Text(f"  {kind}: {', '.join(names)}"))


def _provided(plugins: Plugins, plugin: Plugin) -> dict[str, list[str]]:
    """Return the names of what a plugin registered, by plural of the kind, and the run hooks that it watches."""
    found: dict[str, list[str]] = {}
    for entry in plugins.registry.of(plugin.name):
        found.setdefault(entry.kind.plural, []).append(entry.name)
    watched = plugins.watched(plugin.name)
    return {**found, "watches": watched} if watched else found


def _data(plugins: Plugins, plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "origin": plugin.origin,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "problem": plugin.problem or None,
        "provides": _provided(plugins, plugin),
    }
