"""What a store holds, for people and programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import NotReadable
from medssl_bench.store.access import not_readable
from medssl_bench.store.leases import owner_text
from medssl_bench.store.listing import bytes_in, closed, finished, listed
from medssl_bench.store.record import Record

if TYPE_CHECKING:
    from medssl_bench.store.store import Store


@dataclass(frozen=True)
class Row:
    """A stage of a store.

    Attributes:
        key: its content key.
        kind: pretrain, embed, evaluate or analyse; empty where that is not known.
        title: what it is for; empty where that is not known.
        status: ``done``, ``damaged``, ``unreadable``, ``failed``, ``running`` or ``stopped``.
        what: why it failed, what is wrong with it, or who works on it.
        bytes: how much it takes.
        seconds: wall time that it took, or None.
        time: when it was finished, in UTC and ISO 8601, or None.
    """

    key: str
    kind: str
    title: str
    status: str
    what: str = ""
    bytes: int = 0
    seconds: float | None = None
    time: str | None = None


def contents(store: Store) -> list[Row]:
    """Return every stage of a store; sizes of files are checked, their content is not read."""
    found = (_finished(store, folder.name) for folder in finished(store.path))
    rows = [row for row in found if row is not None]
    rows += [Row(place.name, "", "", "unreadable", str(not_readable(place))) for place in closed(store.path)]
    for folder in listed(store.path / "failed"):
        record = store.failure(folder.name)
        if record is not None:
            rows.append(Row(record.key, record.kind, record.title, "failed", record.reason))
    rows += [_unfinished(store, key) for key in store.leases.unfinished() if not store.is_done(key)]
    return sorted(rows, key=lambda row: (row.title, row.key))


def _finished(store: Store, key: str) -> Row | None:
    """Return the row of a finished stage; None: it has gone meanwhile."""
    try:
        record = store.record(key)
        damage = "" if record else store.damage(key)
    except NotReadable as error:
        return Row(key, "", "", "unreadable", str(error))
    if record is None:
        return Row(key, "", "", "damaged", damage) if damage else None
    size = bytes_in(store.folder(key))
    seconds, time = _seconds(record), record.provenance.get("time")
    return Row(key, record.kind, record.title, "done", "", size, seconds, time if isinstance(time, str) else None)


def _seconds(record: Record) -> float | None:
    found: Any = record.cost.get("wall_seconds")
    return float(found) if isinstance(found, int | float) else None


def _unfinished(store: Store, key: str) -> Row:
    owner = store.leases.owner(key) or "free"
    folder = store.path / "work" / key / owner
    size = sum(bytes_in(file) for file in listed(folder) if file.name.startswith("checkpoint"))
    has = "with a checkpoint" if size else "without a checkpoint"
    if store.leases.is_held(key):
        return Row(key, "", "", "running", f"{owner_text(owner)}, {has}", size)
    return Row(key, "", "", "stopped", has, size)
