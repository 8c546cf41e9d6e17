"""Brings finished stages of another store into this one, each verified, whole, and by one rename."""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import StoreError
from medssl_bench.store.access import not_readable
from medssl_bench.store.atomic import sync, write_atomically
from medssl_bench.store.descriptions import descriptions, read_description, write_description
from medssl_bench.store.listing import closed, finished, is_key
from medssl_bench.store.process import Process
from medssl_bench.store.reading import open_plain, read_text
from medssl_bench.store.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.store.store import Store


@dataclass
class Merged:
    """What a merge has done.

    Attributes:
        taken: titles of the stages that were taken.
        kept: how many were here already.
        refused: what is wrong with those that were not taken, a line each.
        descriptions: what is wrong with what is known of data sets and was not taken, a line each.
    """

    taken: list[str] = field(default_factory=list)
    kept: int = 0
    refused: list[str] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)


def merge(source: Store, target: Store) -> Merged:
    """Take every finished stage, and every remembered data set, that this store lacks; failures are not taken.

    The source may be a stranger's: nothing of it is copied before it is seen to be a plain file of the size that its
    record says, and nothing is kept whose SHA-256, or key, is another. Runs may go on in both stores meanwhile: a stage
    appears here whole or not at all.

    Args:
        source: where to take from; nothing is changed there.
        target: where to put it.

    Raises:
        StoreError: the target cannot be written.
    """
    target.prepare()
    found = Merged()
    try:
        for folder in finished(source.path):
            record, wrong = _record_in(folder, source)
            if target.is_done(folder.name):
                found.kept += 1
            elif record is None or (wrong := _take(record, source, target)):
                found.refused.append(f"{record.title if record else folder.name[:12]}: {wrong}")
            else:
                found.taken.append(record.title)
        found.refused += [str(not_readable(place)) for place in closed(source.path)]
        _take_descriptions(source, target, found)
    except OSError as error:
        raise StoreError(f"{target.path}: the store cannot be written: {error.strerror or error}") from error
    return found


def _record_in(folder: Path, source: Store) -> tuple[Record | None, str]:
    """Return the record of a stage's folder, or None and what is wrong with it."""
    if not is_key(folder.name) or source.folder(folder.name) != folder or folder.is_symlink():
        return None, "it is not where a stage of this key belongs"
    try:
        record = Record.from_json(read_text(folder / "record.json"))
    except FileNotFoundError:
        return None, "record.json is missing"
    except (OSError, ValueError) as error:
        return None, f"record.json is not what was written ({getattr(error, 'strerror', None) or error})"
    if record.key != folder.name or record.status != "done":
        return None, "its record is that of another stage"
    if not record.is_of_its_key():
        return None, "its key is not the hash of its identity"
    return record, ""


def _take(record: Record, source: Store, target: Store) -> str:
    """Copy a stage; return what is wrong with it, or an empty string."""
    needed, free = sum(about["bytes"] for about in record.files.values()), shutil.disk_usage(target.path).free
    if needed > free:
        return f"its files have {needed:,} bytes, and there is room for {free:,}"
    part = target.path / "work" / f".{Process.this()}-60-{uuid.uuid4().hex[:12]}"
    part.mkdir()
    try:
        for name, about in record.files.items():
            if wrong := _copy(source.folder(record.key) / name, part / name, about):
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


def _copy(source: Path, target: Path, about: Mapping[str, Any]) -> str:
    """Copy a file; return what is wrong with it, or an empty string."""
    digest, left = hashlib.sha256(), about["bytes"]
    try:
        reading = open_plain(source)
    except OSError as error:
        return f"{source.name}: {error.strerror}"
    with reading, target.open("wb") as writing:
        size = os.fstat(reading.fileno()).st_size
        if size != left:
            return f"{source.name} has {size} bytes, not {left}"
        while left and (block := reading.read(min(left, 2**20))):
            left -= len(block)
            digest.update(block)
            writing.write(block)
        writing.flush()
        os.fsync(writing.fileno())
    return "" if digest.hexdigest() == about["sha256"] else f"the SHA-256 of {source.name} is not that of its record"


def _take_descriptions(source: Store, target: Store, found: Merged) -> None:
    """Take what is known of data sets; what is here already, and sound, stays."""
    for file, description in descriptions(source.path):
        if isinstance(description, str):
            found.descriptions.append(f"datasets/{file.name}: {description}")
            continue
        with suppress(OSError, ValueError):
            read_description(target.path / "datasets" / file.name)
            continue
        write_description(target.path, file.stem, description)
