"""``medssl-bench schema``."""

from __future__ import annotations

import json

import click

from medssl_bench.cli.options import load_plugins


@click.command("schema")
@click.pass_context
def command(context: click.Context) -> None:
    """Print the JSON Schema of suite files, with the parameters of every installed component.

    Editors with a TOML language server check and complete a suite by it:

    \b
        medssl-bench schema > suite.schema.json
        # first line of the suite:
        #:schema ./suite.schema.json
    """  # noqa: D301 - click reads the backspace
    from medssl_bench.suite.json_schema import json_schema

    click.echo(json.dumps(json_schema(load_plugins(context).registry), indent=1, ensure_ascii=False))
