"""The console that commands print tables to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def standard_output() -> Console:
    """Return the console of the standard output.

    A pipe or a log file has no width of its own: tables are not squeezed into the 80 columns that rich assumes there,
    unless ``COLUMNS`` says so.
    """
    from rich.console import Console

    from medssl_bench.results.formats.console import WIDTH_OF_A_FILE

    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH_OF_A_FILE
    return console
