"""Progress of long work on files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Report = Callable[[int, int | None], None]
"""Is called with how much is done and how much there is (None: unknown), in bytes or in images."""


@contextmanager
def progress_bar(title: str, unit: Literal["bytes", "images"]) -> Iterator[Report]:
    """Show progress on the standard error stream: a bar on a terminal, one plain line elsewhere."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    console = Console(stderr=True)
    if not console.is_terminal:
        console.print(Text(title), soft_wrap=True)
        yield lambda _done, _total: None
        return
    amount = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
