"""``medssl-bench new-plugin``."""

from __future__ import annotations

from pathlib import Path

import click


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
def command(name: str, parent: Path) -> None:
    """Write a new plugin package called NAME: working, tested, and ready to be installed.

    It has an augmentation and an evaluator, a suite that uses both, and tests.
    """
    from medssl_bench.plugin.scaffold import write_plugin

    folder = write_plugin(name, parent)
    click.echo(f"{folder}: a plugin with an augmentation and an evaluator. Next:")
    click.echo(f"  python -m pip install -e '{folder}[dev]'")
    click.echo(f"  medssl-bench check-plugin {name}")
    click.echo(f"  medssl-bench run {folder / 'suite.toml'}")
