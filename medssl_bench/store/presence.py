"""Which runs are under way, and what they need: so that nothing of it is deleted.

A run says so in ``runs/``. What is left to a cluster says so in ``jobs/JOB/needs.json``, which the
process that follows the job deletes once it has ended: such a job may be queued while no process of the run is alive.

No clock decides whether a run is alive. The system knows it for processes of this machine. A process of another machine
counts as alive until the user says that it is gone.
"""

from __future__ import annotations

import json
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from medssl_bench.errors import StoreError
from medssl_bench.stopping import uninterrupted
from medssl_bench.store.atomic import write_atomically
from medssl_bench.store.listing import listed
from medssl_bench.store.process import Process
from medssl_bench.store.reading import parse_json, read_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_LARGEST = 2**26
"""Bytes of the largest list of keys that is read: a suite may have 100,000 trials, and their stages."""


@contextmanager
def present(store: Path, keys: Collection[str]) -> Iterator[None]:
    """Say in a store that this process needs stages, for as long as the block lasts.

    Args:
        store: the store's folder.
        keys: of the stages.
    """
    file = store / "runs" / f"{Process.this()}-{uuid.uuid4().hex[:12]}.json"
    try:
        with uninterrupted():
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, json.dumps(sorted(keys)) + "\n")
        yield
    finally:
        with uninterrupted():  # else it would be needed for as long as this process lives
            file.unlink(missing_ok=True)


def needed_by_runs(store: Path, gone: Collection[str] = ()) -> set[str]:
    """Return the keys of all stages that runs under way need.

    Args:
        store: the store's folder.
        gone: hosts that the user declared dead (`--gone`), as patterns.

    Raises:
        StoreError: what a run needs cannot be read.
    """
    clear_dead_runs(store, gone)
    found: set[str] = set()
    for file in _files(store):
        try:
            found |= set(parse_json(read_text(file, _LARGEST)))
        except FileNotFoundError:  # it has ended meanwhile
            continue
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(
                f"{file}: what this run needs cannot be read ({error}); delete it if it is gone"
            ) from error
    return found


def runs_elsewhere(store: Path) -> list[Process]:
    """Return the runs of which nothing can be known from here: those of other machines, or of before a restart."""
    found = [(file, _process_of(file)) for file in _files(store)]
    return [process for _, process in found if process is not None and not process.is_here()]


def clear_dead_runs(store: Path, gone: Collection[str] = ()) -> None:
    """Delete what runs have left that were killed."""
    for file in _files(store):
        process = _process_of(file)
        if process is not None and (process.is_dead() or process.is_of(gone)):
            file.unlink(missing_ok=True)


def forget(store: Path, process: str) -> None:
    """Delete what a process has said that it needs, which has certainly ended, on another machine too.

    Args:
        store: the store's folder.
        process: its name, as `Process` writes it.
    """
    for file in _files(store):
        if str(_process_of(file)) == process:
            file.unlink(missing_ok=True)


def _files(store: Path) -> list[Path]:
    runs = [file for file in listed(store / "runs") if file.suffix == ".json"]
    return runs + [folder / "needs.json" for folder in listed(store / "jobs") if (folder / "needs.json").is_file()]


def _process_of(file: Path) -> Process | None:
    return Process.parse(file.stem.rpartition("-")[0])
