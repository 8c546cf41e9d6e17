"""``medssl-bench list``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from medssl_bench.cli.completion import kinds as kinds_of_components
from medssl_bench.cli.options import json_option, load_plugins

if TYPE_CHECKING:
    from medssl_bench.plugin.registry import Entry


@click.command("list")
@click.argument("kind", required=False, shell_complete=kinds_of_components)
@json_option
@click.pass_context
def command(context: click.Context, kind: str | None, *, as_json: bool) -> None:
    """List components, or those of one KIND.

    Kinds: datasets, augmentations, ops, encoders, methods, optimizers, schedules, evaluators, metrics, executors,
    watchers, references, claims.
    """
    from medssl_bench.plugin.kinds import KINDS, find_kind

    plugins = load_plugins(context)
    kinds = [find_kind(kind)] if kind else list(KINDS.values())
    entries = [entry for wanted in kinds for entry in plugins.registry.entries[wanted.name].values()]
    if as_json:
        click.echo(json.dumps([_data(entry) for entry in entries], indent=1, ensure_ascii=False))
        return
    from rich.table import Table
    from rich.text import Text

    from medssl_bench.cli.console import standard_output

    console = standard_output()
    for wanted in kinds:
        drawn = Table(box=None, pad_edge=False, title=f"{wanted.plural}: {wanted.summary}", title_justify="left")
        drawn.title_style, drawn.show_header = "bold cyan", False
        for entry in plugins.registry.entries[wanted.name].values():
            drawn.add_row(entry.name, Text(entry.plugin.name, style="dim"), Text(_summary(entry)))
        console.print(drawn)
        console.print()


def _data(entry: Entry) -> dict[str, object]:
    return {
        "kind": entry.kind.name,
        "name": entry.name,
        "plugin": entry.plugin.name,
        "revision": entry.revision,
        "summary": _summary(entry),
    }


def _summary(entry: Entry) -> str:
    """Return a component's summary, or what keeps it from being used."""
    from medssl_bench.errors import PluginError

    try:
        return entry.summary
    except PluginError as error:
        return f"cannot be used: {error}"
