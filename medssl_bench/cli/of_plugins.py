"""Verbs that plugins add: entry points of the group ``medssl_bench.commands``, each a command of click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "medssl_bench.commands"


def verbs_of_plugins() -> dict[str, EntryPoint]:
    """Return the verbs by name, the first of each in the order of their distributions; none is imported."""
    from importlib.metadata import entry_points  # a verb of the harness' own does not wait for it

    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, from_where(point))):
        found.setdefault(point.name, point)
    return found


def from_where(point: EntryPoint) -> str:
    """Return the distribution that adds a verb."""
    return point.dist.name if point.dist else "an unknown package"


def load(point: EntryPoint) -> click.Command:
    """Import a verb.

    Raises:
        click.ClickException: it cannot be imported, or is no command.
    """
    try:
        command = point.load()
    except Exception as error:
        text = f"the command {point.name!r} of {from_where(point)} cannot be used: {type(error).__name__}: {error}"
        raise click.ClickException(" ".join(text.split())) from error
    if not isinstance(command, click.Command):
        raise click.ClickException(f"{point.value} of {from_where(point)} is no command of click")
    return command
