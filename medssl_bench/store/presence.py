"""Which runs are under way, and what they need: so that nothing of it is deleted."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from medssl_bench.store.atomic import write_atomically
from medssl_bench.store.process import Process
from medssl_bench.store.reading import parse_json, read_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

_MONTH = 31 * 24 * 3600.0


@contextmanager
def present(store: Path, keys: Collection[str]) -> Iterator[None]:
    """Say in a store that this process needs stages, for as long as the block lasts.

    Args:
        store: the store's folder.
        keys: of the stages.
    """
    file = store / "runs" / f"{Process.this()}-{uuid.uuid4().hex[:12]}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, json.dumps(sorted(keys)) + "\n")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def needed_by_runs(store: Path) -> set[str]:
    """Return the keys of all stages that runs under way need."""
    clear_dead_runs(store)
    found: set[str] = set()
    for file in (store / "runs").glob("*.json"):
        with suppress(OSError, ValueError, TypeError):
            found |= set(parse_json(read_text(file)))
    return found


def clear_dead_runs(store: Path) -> None:
    """Delete what runs have left that were killed; of another machine's, which cannot be asked, after a month."""
    for file in (store / "runs").glob("*.json"):
        process = Process.parse(file.stem.rpartition("-")[0])
        with suppress(OSError):
            if (process and process.is_dead()) or time.time() - file.stat().st_mtime > _MONTH:
                file.unlink(missing_ok=True)
