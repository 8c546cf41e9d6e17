"""What of a store nothing needs any more."""

from __future__ import annotations

import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medssl_bench.errors import LeaseLost
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
        kind: ``done``, ``failed``, ``unfinished`` or ``damaged``.
        title: what it was for.
        bytes: how much it takes.
    """

    folder: Path
    kind: str
    title: str
    bytes: int


def find_garbage(store: Store, needed: Collection[str] | None) -> list[Garbage]:
    """Return what can be deleted: never what a run under way needs, nor what somebody works on.

    Args:
        store: where to look.
        needed: keys of the stages that are to stay; None: all stay, and only damaged results can be deleted.
    """
    found = [_item(folder, "damaged", folder.name) for folder in sorted(store.path.glob("damaged/*"))]
    if needed is None:
        return found
    needed = set(needed) | needed_by_runs(store.path)
    for folder in sorted(store.path.glob("done/*/*")):
        if folder.name not in needed:
            record = store.record(folder.name)
            found.append(_item(folder, "done", record.title if record else folder.name))
    failed = [folder for folder in sorted(store.path.glob("failed/*")) if folder.name not in needed]
    found += [_item(folder, "failed", folder.name) for folder in failed]
    idle = [key for key in store.leases.unfinished() if key not in needed and not store.leases.is_held(key)]
    return found + [_item(store.path / "work" / key, "unfinished", key) for key in idle]


def delete(garbage: Garbage, store: Store) -> bool:
    """Delete something; return whether it was still there to be deleted.

    It is renamed first, so that no reader sees a half of it.
    """
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


def _item(folder: Path, kind: str, title: str) -> Garbage:
    size = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            size += file.lstat().st_size if not file.is_dir() else 0
    return Garbage(folder, kind, title, size)
