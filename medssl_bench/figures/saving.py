"""Writes the figures of a report, several at a time where there are processors for it."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from medssl_bench.figures.drawing_process import DrawingProcess

if TYPE_CHECKING:
    from medssl_bench.figures.figure import Rendered, ReportFigure

_MOST_PROCESSES = 8
_WORTH_A_PROCESS = 4
"""Tasks from which on another process gains more than it takes to start."""


@dataclass(frozen=True)
class _Task:
    """Something to do.

    Attributes:
        run: does it, in any process.
        done: gets the result, in this one.
        only_here: whether it can only be done in this process.
    """

    run: Callable[[], Any]
    done: Callable[[Any], None]
    only_here: bool = False


def save_figures(
    figures: Sequence[ReportFigure],
    folder: Path,
    formats: Sequence[str],
    tell: Callable[[str], None] = lambda _text: None,
) -> list[list[Path]]:
    """Draw figures and write them as `<id>.<format>`.

    Maps that nothing has kept are computed first. What another process fails at is done again in this one, so that its
    error is raised here.

    Args:
        figures: what to draw.
        folder: where to; made if need be.
        formats: as of `ReportFigure.render`.
        tell: called with one line for each figure that is written.

    Returns:
        The files of each figure, in the order of `formats`.
    """
    files: dict[str, list[Path]] = {}

    def write(figure: ReportFigure, found: Rendered) -> None:
        files[figure.id] = figure.write(found, folder)
        tell(f"figure {len(files)} of {len(figures)}: {figure.title}")

    def drawing(chosen: Sequence[ReportFigure]) -> list[_Task]:
        return [_Task(partial(f.render, tuple(formats)), partial(write, f), f.only_here) for f in chosen]

    missing = {found.name: found for figure in figures for found in figure.maps if not found.is_kept()}
    waiting = [figure for figure in figures if any(found.name in missing for found in figure.maps)]
    if missing:
        tell(f"computing {len(missing)} maps of test images that no analysis kept; the next report finds them")
    computing = [_Task(found.compute, found.remember) for found in missing.values()]
    ready = drawing([figure for figure in figures if figure not in waiting])
    with _processes(len(figures) + len(missing)) as processes:
        _perform([*computing, *ready], processes)
        _perform(drawing(waiting), processes)
    return [files[figure.id] for figure in figures]


def _perform(tasks: Sequence[_Task], processes: Sequence[DrawingProcess]) -> None:
    """Do tasks in this process and in others; results are received in this thread, as they come."""
    here = deque(task for task in tasks if task.only_here)
    shared = deque(task for task in tasks if not task.only_here)
    results: SimpleQueue[tuple[_Task, bool, Any]] = SimpleQueue()
    threads = [threading.Thread(target=_give, args=(process, shared, results), daemon=True) for process in processes]
    for thread in threads:
        thread.start()
    try:
        left = len(tasks)
        while left:
            task = _next(here) or _next(shared)
            if task is not None:
                task.done(task.run())
                left -= 1
            while left and (task is None or not results.empty()):
                given, done, result = results.get()
                given.done(result if done else given.run())
                left -= 1
    finally:
        shared.clear()


def _next(tasks: deque[_Task]) -> _Task | None:
    try:
        return tasks.popleft()
    except IndexError:
        return None


def _give(process: DrawingProcess, shared: deque[_Task], results: SimpleQueue[tuple[_Task, bool, Any]]) -> None:
    """Let a process do tasks for as long as there are any."""
    while (task := _next(shared)) is not None:
        try:
            results.put((task, True, process.perform(task.run)))
        except Exception:  # noqa: BLE001 - done again in the main thread, which meets the error itself
            results.put((task, False, None))
            if process.has_ended():
                return


@contextmanager
def _processes(tasks: int) -> Iterator[list[DrawingProcess]]:
    """Start as many processes as there are processors beside this one's, and end them with the block."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = min(usable - 1, _MOST_PROCESSES, tasks // _WORTH_A_PROCESS)
    started: list[DrawingProcess] = []
    try:
        while len(started) < wanted:
            started.append(DrawingProcess())
        yield started
    finally:
        for process in started:
            process.end()
