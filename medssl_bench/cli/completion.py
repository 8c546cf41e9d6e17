"""What a shell offers when Tab is pressed: kinds, and names of components; loaded plugins are asked, no torch is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

Complete = Callable[["click.Context", "click.Parameter", str], list[str]]


def kinds(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the kinds of components that begin so, in the plural."""
    from medssl_bench.plugin.kinds import KINDS

    return [kind.plural for kind in KINDS.values() if kind.plural.startswith(incomplete)]


def names(kind: str | None = None) -> Complete:
    """Return what completes a name of a component.

    Args:
        kind: of which kind; None: as the argument KIND says.
    """

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        from medssl_bench.errors import UserError
        from medssl_bench.plugin.kinds import find_kind
        from medssl_bench.plugin.manager import load_plugins

        try:
            wanted = find_kind(kind or str(context.params.get("kind"))).name
            blocked = [text.removeprefix("no:") for text in context.find_root().params.get("plugin", ())]
            entries = load_plugins(blocked).registry.entries[wanted]
        except UserError:
            return []
        return sorted(name for name in entries if name.startswith(incomplete))

    return complete
