"""Stores with finished stages in them, for tests."""

from __future__ import annotations

from pathlib import Path

from leased import leased

from medssl_bench.store.keys import content_key
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store

IDENTITIES = {content_key(identity): identity for identity in ({"number": number} for number in range(1, 5))}
KEYS = sorted(IDENTITIES)


def filled(path: Path, *keys: str) -> Store:
    """Return a store with finished stages of these keys, each with a file of its own."""
    store = Store(path)
    store.prepare()
    for key in keys:
        with leased(store, key) as lease:
            (lease.files / "weights").write_text(f"weights of {key}")
            (lease.files / "history.json").write_text("[]")
            store.finish(
                Record(key, "evaluate", f"stage {key[:2]}", "done", IDENTITIES[key], cost={"wall_seconds": 2.0}), lease
            )
    return store


def files(store: Store) -> dict[str, bytes]:
    """Return every file under done/ with its content."""
    return {str(file.relative_to(store.path)): file.read_bytes() for file in store.path.glob("done/*/*/*")}
