"""What a run shows while it goes on: a live view on a terminal or in a notebook, plain lines elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def watcher(console: Console, *, verbose: bool = False) -> object:
    """Return the plugin that shows a run on a console.

    Args:
        console: where to.
        verbose: show lines on a terminal too, and one for each epoch.
    """
    from medssl_bench.progress.lines import PlainLines
    from medssl_bench.progress.live import LiveView

    if verbose:
        return PlainLines(console, every=0)
    if console.is_jupyter:
        from medssl_bench.progress.notebook import NotebookView

        return NotebookView()
    return LiveView(console) if console.is_terminal and not console.is_dumb_terminal else PlainLines(console)
