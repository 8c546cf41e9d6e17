"""What of a store nothing needs any more."""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.errors import LeaseLost, NotReadable
from medssl_bench.store.leftovers import leftovers
from medssl_bench.store.listing import bytes_in, finished, listed, remove
from medssl_bench.store.presence import needed_by_runs
from medssl_bench.store.process import Process

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from medssl_bench.store.store import Store


@dataclass(frozen=True)
class Garbage:
    """Something that can be deleted.

    Attributes:
        folder: where it is.
        kind: ``done``, ``failed``, ``unfinished``, ``damaged``, ``left over`` by a process that was killed, or the
            notes of a ``job`` of a cluster that has ended.
        title: what it was for.
        bytes: how much it takes.
    """

    folder: Path
    kind: str
    title: str
    bytes: int


def find_garbage(store: Store, needed: Collection[str] | None, gone: Collection[str] = ()) -> list[Garbage]:
    """Return what can be deleted: never what a run under way needs, nor a stage that is being worked on.

    Args:
        store: where to look.
        needed: keys of the stages that are to stay; None: all stay, and only damaged results and what was left over
            can be deleted.
        gone: hosts that the user declared dead (`--gone`), as patterns; processes of other machines otherwise count
            as alive.

    Raises:
        StoreError: what a run needs cannot be read.
    """
    store.leases.gone = tuple(gone)
    found = [_item(folder, "damaged", folder.name) for folder in listed(store.path / "damaged")]
    found += [_item(path, "left over", _place(path, store)) for path in leftovers(store.path, store.leases)]
    found += [_item(folder, "job", folder.name) for folder in listed(store.path / "jobs") if _has_ended(folder)]
    if needed is None:
        return found
    needed = set(needed) | needed_by_runs(store.path, gone)
    found += [_item(f, "done", _title(f.name, store)) for f in finished(store.path) if f.name not in needed]
    failed = [folder for folder in listed(store.path / "failed") if folder.name not in needed]
    found += [_item(folder, "failed", folder.name) for folder in failed]
    idle = [key for key in store.leases.unfinished() if key not in needed and not store.leases.is_held(key)]
    return found + [_item(store.path / "work" / key, "unfinished", key) for key in idle]


def _has_ended(job: Path) -> bool:
    return job.is_dir() and not (job / "needs.json").exists() and (job / "ended").exists()


def _title(key: str, store: Store) -> str:
    with suppress(NotReadable):
        record = store.record(key)
        return record.title if record else key
    return key


def _place(path: Path, store: Store) -> str:
    return path.relative_to(store.path).as_posix()


def delete(garbage: Garbage, store: Store) -> bool:
    """Delete something; return whether it was still there to be deleted, and not needed meanwhile.

    It is renamed first, so that no reader sees a half of it.
    """
    if garbage.kind == "left over":
        return remove(garbage.folder)
    if garbage.kind == "job":
        return _has_ended(garbage.folder) and remove(garbage.folder)
    if garbage.kind != "damaged" and garbage.folder.name in needed_by_runs(store.path):  # a run has begun since
        return False
    if garbage.kind == "unfinished":
        with suppress(OSError, LeaseLost):
            lease = store.leases.acquire(garbage.folder.name)
            if lease is not None:
                lease.release(keep=False)
                return True
        return False
    trash = store.path / "work" / f".{Process.this()}-60-{uuid.uuid4().hex[:12]}"
    try:
        garbage.folder.rename(trash)
    except OSError:
        return False
    shutil.rmtree(trash, ignore_errors=True)
    return True


def _item(path: Path, kind: str, title: str) -> Garbage:
    return Garbage(path, kind, title, bytes_in(path))
