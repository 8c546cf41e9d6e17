"""Brings finished stages of another store into this one, each verified, whole, and by one rename."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from medssl_bench.errors import StoreError
from medssl_bench.store.atomic import sync, write_atomically
from medssl_bench.store.process import Process

if TYPE_CHECKING:
    from medssl_bench.store.record import Record
    from medssl_bench.store.store import Store


@dataclass
class Merged:
    """What a merge has done.

    Attributes:
        taken: titles of the stages that were taken.
        kept: how many were here already.
        refused: what is wrong with those that were not taken, a line each.
    """

    taken: list[str] = field(default_factory=list)
    kept: int = 0
    refused: list[str] = field(default_factory=list)


def merge(source: Store, target: Store) -> Merged:
    """Take every finished stage, and every remembered data set, that this store lacks; failures are not taken.

    Runs may go on in both stores meanwhile: a stage appears here whole or not at all.

    Args:
        source: where to take from; nothing is changed there.
        target: where to put it.

    Raises:
        StoreError: the target cannot be written.
    """
    target.prepare()
    found = Merged()
    try:
        for record in source.records():
            if target.is_done(record.key):
                found.kept += 1
            elif wrong := _take(record, source, target):
                found.refused.append(f"{record.title}: {wrong}")
            else:
                found.taken.append(record.title)
        _take_datasets(source, target)
    except OSError as error:
        raise StoreError(f"{target.path}: the store cannot be written: {error.strerror or error}") from error
    return found


def _take(record: Record, source: Store, target: Store) -> str:
    """Copy a stage; return what is wrong with it, or an empty string."""
    part = target.path / "work" / f".{Process.this()}-60-{uuid.uuid4().hex[:12]}"
    part.mkdir()
    try:
        for name, about in record.files.items():
            if wrong := _copy(source.folder(record.key) / name, part / name, about["sha256"]):
                return wrong
        write_atomically(part / "record.json", record.to_json())
        place = target.folder(record.key)
        place.parent.mkdir(parents=True, exist_ok=True)
        if target.damage(record.key):
            target.set_aside(record.key)
        try:
            part.rename(place)
        except OSError:
            if not target.is_done(record.key):  # else a run was first
                raise
        sync(place.parent)
        target.forget_failure(record.key)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return ""


def _copy(source: Path, target: Path, wanted: str) -> str:
    """Copy a file; return what is wrong with it, or an empty string."""
    digest = hashlib.sha256()
    try:
        reading = source.open("rb")
    except OSError as error:
        return f"{source.name}: {error.strerror}"
    with reading, target.open("wb") as writing:
        while block := reading.read(2**20):
            digest.update(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
    return "" if digest.hexdigest() == wanted else f"the SHA-256 of {source.name} is not that of its record"


def _take_datasets(source: Store, target: Store) -> None:
    for file in sorted((source.path / "datasets").glob("*.json")):
        place = target.path / "datasets" / file.name
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            write_atomically(place, file.read_text("utf-8", errors="replace"))
