"""``medssl-bench new-plugin``."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click

from medssl_bench.cli.options import load_plugins
from medssl_bench.errors import UserError
from medssl_bench.plugin.scaffold import TEMPLATES, write_plugin


@click.command("new-plugin")
@click.argument("name")
@click.option(
    "--dir",
    "parent",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="the working directory",
    help="Where to make the plugin's folder.",
)
@click.option(
    "--kind",
    type=click.Choice(list(TEMPLATES)),
    help="Kind of its component.  [default: an augmentation and an evaluator]",
)
@click.pass_context
def command(context: click.Context, name: str, parent: Path, kind: str | None) -> None:
    """Write a new plugin package called NAME: working, tested, and ready to be installed.

    It has one component (or a watcher), a suite that uses it, and tests.
    """
    _require_free(context, name)
    written = write_plugin(name, parent, kind)
    folder = written.folder
    click.echo(f"{folder}: a plugin with {written.adds.replace('`', '')}. Next:")
    click.echo(f"  python -m pip install -e '{folder}[dev]'")
    click.echo(f"  python -m pytest {folder}")
    click.echo(f"  medssl-bench check-plugin {name}")
    click.echo(f"  medssl-bench run {folder / 'suite.toml'}{written.options}")


def _require_free(context: click.Context, name: str) -> None:
    """Refuse a name under which the new plugin would hide another, or be hidden by it."""
    for plugin in load_plugins(context).found:
        if plugin.name == name:
            raise UserError(f"{name!r} is taken by a plugin that is here ({plugin.origin}); choose another")
    module = name.replace("-", "_")
    spec = find_spec(module) if module.isidentifier() else None
    if spec is not None and spec.origin is not None:
        raise UserError(f"{name!r} would hide the installed Python module {module!r}; choose another")
