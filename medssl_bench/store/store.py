"""A directory of finished artefacts, one folder per content key."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from medssl_bench.errors import StoreError
from medssl_bench.store.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYOUT = 1
"""Version of the layout below; a store of another version is refused, never misread."""


class Store:
    """A store.

    Layout: ``store.json`` (the layout's version); ``done/<first two digits>/<key>/`` with ``record.json`` and the
    stage's files; ``failed/<key>/`` with ``record.json`` and ``traceback.txt``; ``work/`` for what is being made.
    A folder appears under ``done/`` by one rename, whole or not at all.

    Args:
        path: the directory; made when something is first written.

    Raises:
        StoreError: it is the store of another layout, or not a store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._check_layout()

    def _check_layout(self) -> None:
        marker = self.path / "store.json"
        if marker.is_file():
            try:
                layout = json.loads(marker.read_text("utf-8"))["layout"]
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(f"{marker}: this is not the marker of a store; give another --store") from error
            if layout != LAYOUT:
                raise StoreError(f"{self.path}: a store of layout {layout}; this version reads layout {LAYOUT}")
        elif self.path.exists() and not (self.path.is_dir() and all(map(_is_being_made, self.path.iterdir()))):
            raise StoreError(f"{self.path}: there is something else here, not a store; give another --store")

    def prepare(self) -> None:
        """Make the directory, if need be.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            marker = self.path / "store.json"
            if not marker.exists():
                write_atomically(marker, json.dumps({"layout": LAYOUT}) + "\n")
            for name in ("done", "failed", "work"):
                (self.path / name).mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.path}: the store cannot be written: {error.strerror}") from error

    def folder(self, key: str) -> Path:
        """Return the folder of a finished stage, whether it exists or not."""
        return self.path / "done" / key[:2] / key

    def is_done(self, key: str) -> bool:
        """Return whether a stage is finished."""
        return (self.folder(key) / "record.json").is_file()

    def record(self, key: str) -> Record | None:
        """Return the record of a finished stage, or None.

        Raises:
            StoreError: the record cannot be read.
        """
        return _read_record(self.folder(key) / "record.json")

    def find(self, beginning: str) -> str:
        """Return the key of the finished stage whose key begins so.

        Raises:
            StoreError: there is none, or more than one.
        """
        keys = [folder.name for folder in self.path.glob("done/*/*") if folder.name.startswith(beginning)]
        if len(keys) != 1:
            what = "no finished stage" if not keys else f"{len(keys)} finished stages"
            raise StoreError(f"{self.path}: {what} with a key that begins with {beginning!r}")
        return keys[0]

    def failure(self, key: str) -> Record | None:
        """Return the record of a stage whose last attempt failed, or None."""
        return None if self.is_done(key) else _read_record(self.path / "failed" / key / "record.json")

    def records(self) -> Iterator[Record]:
        """Yield the record of every finished stage."""
        for file in sorted(self.path.glob("done/*/*/record.json")):
            record = _read_record(file)
            if record is not None:
                yield record

    @contextmanager
    def workplace(self, key: str) -> Iterator[Path]:
        """Give a folder to make a stage's files in; it is gone afterwards, unless `finish` has moved it."""
        folder = self.path / "work" / f"{key[:16]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        try:
            folder.mkdir(parents=True)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def finish(self, record: Record, folder: Path) -> Record:
        """Move a stage's folder into place, with its record.

        Args:
            record: the record, its `files` still empty.
            folder: from `workplace`.

        Returns:
            The record as written.
        """
        files = {file.name: _fingerprint(file) for file in sorted(folder.iterdir())}
        record = replace(record, files=files)
        write_atomically(folder / "record.json", record.to_json())
        target = self.folder(record.key)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(target)
        except OSError:
            if not self.is_done(record.key):  # another worker was first: its result is as good
                raise
        _sync(target.parent)
        shutil.rmtree(self.path / "failed" / record.key, ignore_errors=True)
        return record

    def fail(self, record: Record, traceback: str) -> Path:
        """Write down that a stage has failed; return the file with the traceback."""
        folder = self.path / "failed" / record.key
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "traceback.txt"
        write_atomically(file, traceback)
        write_atomically(folder / "record.json", record.to_json())
        return file


def write_atomically(file: Path, text: str) -> None:
    """Write a text file so that a reader sees the old content or the new one, never a part."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _is_being_made(path: Path) -> bool:
    """Return whether this is the marker of a store that another worker is just making."""
    return path.name.startswith(".store.json.")


def _read_record(file: Path) -> Record | None:
    try:
        return Record.from_json(file.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{file}: the record cannot be read ({error}); delete its folder to compute it anew"
        ) from error


def _fingerprint(file: Path) -> dict[str, int | str]:
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        os.fsync(stream.fileno())
    return {"bytes": file.stat().st_size, "sha256": digest}


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
