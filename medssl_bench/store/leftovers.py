"""Unfinished files that killed processes left in a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.store.atomic import maker_of
from medssl_bench.store.listing import all_in, is_key, remove

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from medssl_bench.store.leases import Leases


def leftovers(store: Path, leases: Leases) -> Iterator[Path]:
    """Yield files and folders that a process was making which is dead; never those of one that may be alive.

    Args:
        store: the store's folder.
        leases: of that store.
    """
    for folder in (store, store / "runs", store / "datasets"):
        for path in all_in(folder):
            maker = maker_of(path)
            if maker is not None and leases.is_gone(maker):
                yield path
    for path in all_in(store / "work"):
        if is_key(path.name):
            yield from _of_stage(path, leases)
        elif path.name.startswith(".") and leases.is_of_the_dead(path.name.removeprefix(".")):
            yield path


def _of_stage(place: Path, leases: Leases) -> Iterator[Path]:
    """Yield the files beside the checkpoint of a stage without a process; a new owner makes them again."""
    for folder in all_in(place):
        if leases.is_idle(folder.name):
            yield from (path for path in all_in(folder) if path.name == "files" or path.name.startswith("."))


def clear_leftovers(store: Path, leases: Leases) -> None:
    """Delete them."""
    for path in leftovers(store, leases):
        remove(path)
