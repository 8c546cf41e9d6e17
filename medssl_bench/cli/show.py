"""``medssl-bench show``."""

from __future__ import annotations

import json

import click

from medssl_bench.cli.completion import kinds, names
from medssl_bench.cli.options import json_option, load_plugins


@click.command("show")
@click.argument("kind", shell_complete=kinds)
@click.argument("name", metavar="NAME", required=False, shell_complete=names())
@json_option
@click.pass_context
def command(context: click.Context, kind: str, name: str | None, *, as_json: bool) -> None:
    """Show the component NAME of a KIND: what it is, its parameters, their types, defaults and meaning."""
    from medssl_bench.plugin import docstring
    from medssl_bench.plugin.kinds import find_kind

    registry = load_plugins(context).registry
    if name is None:
        meant = [f"medssl-bench show {each} {kind}" for each, named in registry.entries.items() if kind in named]
        text = f"say what {kind!r} is: {' or '.join(meant)}" if meant else "Missing argument 'NAME'"
        raise click.UsageError(text, context)
    entry = registry.find(find_kind(kind).name, name)
    parameters = entry.table.parameters()
    text = docstring.description(entry.factory)
    if entry.kind.name == "metric":
        from medssl_bench.metrics.find import make_metric

        text = f"{text}\n\n{make_metric(entry.name, registry).about}"
    if as_json:
        data = {
            "kind": entry.kind.name,
            "name": entry.name,
            "plugin": entry.plugin.name,
            "distribution": entry.plugin.distribution,
            "revision": entry.revision,
            "description": text,
            "parameters": [vars(parameter) for parameter in parameters],
            "schema": entry.table.json_schema(),
        }
        click.echo(json.dumps(data, indent=1, ensure_ascii=False))
        return
    from rich.table import Table
    from rich.text import Text

    from medssl_bench.cli.console import standard_output

    console = standard_output()
    console.print(Text(f"{entry.kind.name} {entry.name}", style="bold cyan"), end="")
    console.print(Text(f"  (plugin {entry.plugin.name}, revision {entry.revision})", style="dim"))
    console.print(Text(f"\n{text}\n"))
    if not parameters:
        console.print("It takes no parameters.")
        return
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("parameter", "type", "default", "meaning"):
        drawn.add_column(column, no_wrap=column == "parameter")
    for parameter in parameters:
        default = "required" if parameter.required else parameter.default
        drawn.add_row(*map(Text, (parameter.name, parameter.type, default, parameter.doc)))
    console.print(drawn)
    if entry.kind.tuned:
        console.print(Text("\nvalidation labels choose among lists of values: tune = { PARAMETER = [...] }", "dim"))
