"""``medssl-bench check-plugin``."""

from __future__ import annotations

import json
import sys
import tomllib
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medssl_bench.cli.options import data_dir_option, json_option, load_plugins
from medssl_bench.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from medssl_bench.plugin.manager import Plugins
    from medssl_bench.plugin.registry import Plugin
    from medssl_bench.testing.checking import Check


@click.command("check-plugin")
@click.argument("name")
@click.option(
    "--with",
    "given",
    type=(str, str),
    multiple=True,
    metavar="KIND:NAME PARAMETERS",
    help="Parameters of a component, as TOML: --with dataset:npz 'path = \"my.npz\"'. May be given more than once.",
)
@data_dir_option
@json_option
@click.pass_context
def command(
    context: click.Context, name: str, given: tuple[tuple[str, str], ...], data_dir: Path | None, *, as_json: bool
) -> int:
    """Test every component that the plugin NAME registers; NAME may also be a Python file, an inline plugin.

    Each is built, run on small data of every task and channel count, and checked for shapes, ranges, types, gradients,
    determinism under a seed and untouched global random state: a line for each check. The exit status is 1 if one
    fails.
    """
    from medssl_bench.datasets.locations import dataset_context
    from medssl_bench.testing.run import check_plugin

    plugins = load_plugins(context)
    plugin = plugins.find(name)
    parameters = dict(_parameters(plugins, plugin, *pair) for pair in given)
    checks = []
    with redirect_stdout(sys.stderr) if as_json else nullcontext():  # what a component prints is no JSON
        for check in check_plugin(plugins, plugin, parameters, dataset_context(data_dir)):
            checks.append(check)
            if not as_json:
                _print(check)
    failed = sum(not check.ok for check in checks)
    if as_json:
        click.echo(json.dumps([vars(check) for check in checks], indent=1, ensure_ascii=False))
    else:
        click.echo(f"\n{plugin.name}: {len(checks) - failed} checks passed, {failed} failed")
    return 1 if failed else 0


def _parameters(plugins: Plugins, plugin: Plugin, component: str, text: str) -> tuple[tuple[str, str], dict[str, Any]]:
    """Return kind and name of a component of the plugin, and the parameters that are given for it."""
    from medssl_bench.plugin.kinds import find_kind

    word, colon, name = component.partition(":")
    if not colon:
        raise UserError(f"--with {component}: write KIND:NAME, as in dataset:npz")
    kind = find_kind(word).name
    known = [entry.name for entry in plugins.registry.of(plugin.name) if entry.kind.name == kind]
    if name not in known:
        hint = did_you_mean(name, known) or f"; it has: {', '.join(known) or 'none'}"
        raise UserError(f"--with {component}: plugin {plugin.name!r} has no {kind} {name!r}{hint}")
    try:
        return (kind, name), tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"--with {component}: {text!r} is not TOML: {error}") from error


def _print(check: Check) -> None:
    mark = click.style("ok  ", fg="green") if check.ok else click.style("FAIL", fg="red", bold=True)
    click.echo(f"{mark} {check.component}: {check.name}: {check.found}")
