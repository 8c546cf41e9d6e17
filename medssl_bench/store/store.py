"""A directory of finished artefacts, one folder per content key."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from medssl_bench.errors import DamagedError, LeaseLost, NotReadable, StoreError
from medssl_bench.store.access import not_readable
from medssl_bench.store.atomic import sync, write_atomically
from medssl_bench.store.leases import Leases
from medssl_bench.store.leftovers import clear_leftovers
from medssl_bench.store.listing import finished
from medssl_bench.store.presence import clear_dead_runs
from medssl_bench.store.process import Process
from medssl_bench.store.reading import open_plain, parse_json, read_text
from medssl_bench.store.stored import damage_of, fingerprint_of, read_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from medssl_bench.store.leases import Lease
    from medssl_bench.store.record import Record

LAYOUT = 2
"""Version of the layout below; an older one is migrated by the next run, a newer one is refused, never misread."""

_OLDEST = 1  # it had no leases; what is under done/ and failed/ is the same


class Store:
    """A store.

    Layout: ``store.json`` (the layout's version); ``done/<first two digits>/<key>/`` with ``record.json`` and the
    stage's files; ``failed/<key>/`` with ``record.json`` and ``traceback.txt``; ``work/<key>/`` for what is being made,
    with the lease of who makes it, and its checkpoint; ``runs/`` for what runs under way need; ``jobs/`` for notes on
    jobs of clusters; ``datasets/`` for what is known of data sets; ``damaged/`` for results that are no longer what was
    written. A folder appears under ``done/`` by one rename, whole or not at all.

    Attributes:
        path: the directory.
        leases: who works on which stage.

    Args:
        path: the directory; made when something is first written.

    Raises:
        StoreError: it is the store of another layout, or not a store.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.leases = Leases(path / "work")
        self._checked: set[tuple[str, int, int]] = set()
        try:
            self._check_layout()
        except OSError as error:
            raise StoreError(f"{path}: this cannot be a store: {error.strerror}; give another --store") from error

    def _check_layout(self) -> None:
        marker = self.path / "store.json"
        if self.path.is_symlink() and not self.path.exists():
            raise StoreError(f"{self.path}: this link leads nowhere; give another --store")
        with suppress(FileNotFoundError):
            self.path.stat()  # tells of links that lead in circles, and of files where folders should be
        if marker.is_file():
            try:
                layout = parse_json(read_text(marker))["layout"]
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(f"{marker}: this is not the marker of a store; give another --store") from error
            if not isinstance(layout, int) or not _OLDEST <= layout <= LAYOUT:
                message = f"a store of layout {layout}; this version reads layouts {_OLDEST} to {LAYOUT}"
                raise StoreError(f"{self.path}: {message}")
        elif self._is_something_else():
            raise StoreError(f"{self.path}: there is something else here, not a store; give another --store")

    def _is_something_else(self) -> bool:
        """Return whether there is something at this path that is neither a store nor about to become one.

        Who makes a store writes the marker before anything else: if there is anything else, the marker is looked for
        once more, as it may have been written since.
        """
        if not self.path.exists():
            return False
        if not self.path.is_dir():
            return True
        return not all(map(_says_nothing, self.path.iterdir())) and not (self.path / "store.json").is_file()

    def prepare(self) -> None:
        """Make the directory, if need be, and delete what runs have left in it that were killed.

        Raises:
            StoreError: it cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            marker, text = self.path / "store.json", json.dumps({"layout": LAYOUT}) + "\n"
            if not marker.exists() or marker.read_text("utf-8") != text:
                write_atomically(marker, text)
            for name in ("done", "failed", "work"):
                (self.path / name).mkdir(exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.path}: the store cannot be written: {error.strerror}") from error
        clear_leftovers(self.path, self.leases)
        clear_dead_runs(self.path)
        self._clear_finished()

    def _clear_finished(self) -> None:
        """Delete the leases of stages that are finished, whose owners were killed in the moment between."""
        for key in self.leases.unfinished():
            if self.folder(key).is_dir():
                with suppress(OSError, LeaseLost):
                    lease = self.leases.acquire(key)
                    if lease is not None:
                        lease.release(keep=False)

    def folder(self, key: str) -> Path:
        """Return the folder of a finished stage, whether it exists or not."""
        return self.path / "done" / key[:2] / key

    def is_done(self, key: str) -> bool:
        """Return whether a stage is finished, its files all there and as large as they were written."""
        return self.record(key) is not None

    def record(self, key: str) -> Record | None:
        """Return the record of a finished stage that is not damaged, or None."""
        record = read_record(self.folder(key) / "record.json")
        return None if record is None or damage_of(record, self.folder(key)) else record

    def damage(self, key: str) -> str:
        """Return what is wrong with the files of a stage that was finished once, or an empty string."""
        folder = self.folder(key)
        record = read_record(folder / "record.json")
        if record is None and not folder.is_dir():
            return ""
        if record is None:  # a folder comes with its record, so that has been lost since
            return "record.json is missing, or not what was written"
        return damage_of(record, folder)

    def checked(self, key: str, name: str) -> Path:
        """Return a file of a finished stage whose content is what was written.

        A file is read through once for each size and modification time. A stage with another content is set aside.

        Raises:
            DamagedError: the stage is not there any more, or its content is another.
            NotReadable: this user may not read it.
            StoreError: the stage has no such file.
        """
        record = self.record(key)
        if record is None:
            text = f"{self.path}: stage {key[:12]} is not there, or is damaged; run again to compute it again"
            raise DamagedError(text)
        file = self.folder(key) / name
        if name not in record.files:
            raise StoreError(f"{file}: there is no such file")
        try:
            with open_plain(file) as stream:
                status = os.fstat(stream.fileno())
                seen = (str(file), status.st_size, status.st_mtime_ns)
                digest = None if seen in self._checked else hashlib.file_digest(stream, "sha256").hexdigest()
        except PermissionError as error:
            raise not_readable(file) from error
        if digest is not None:
            if digest != record.files[name]["sha256"]:
                reason = f"the SHA-256 of {name} is not that of its record"
                self.set_aside(key)
                raise DamagedError(f"{record.title}: {reason}; it is set aside in {self.path / 'damaged'}: run again")
            self._checked.add(seen)
        return file

    def set_aside(self, key: str) -> Path | None:
        """Move a damaged stage to ``damaged/``, so that it can be computed again; return where to.

        None: another worker was first, or the store cannot be written.
        """
        target = self.path / "damaged" / f"{key}-{uuid.uuid4().hex[:8]}"
        try:
            target.parent.mkdir(exist_ok=True)
            self.folder(key).rename(target)
        except OSError:
            return None
        return target

    def find(self, beginning: str) -> str:
        """Return the key of the finished stage whose key begins so.

        Raises:
            StoreError: there is none, or more than one.
        """
        keys = [folder.name for folder in finished(self.path) if folder.name.startswith(beginning)]
        if len(keys) != 1:
            what = "no finished stage" if not keys else f"{len(keys)} finished stages"
            raise StoreError(f"{self.path}: {what} with a key that begins with {beginning!r}")
        return keys[0]

    def failure(self, key: str) -> Record | None:
        """Return the record of a stage whose last attempt failed, or None."""
        return None if self.is_done(key) else read_record(self.path / "failed" / key / "record.json")

    def records(self) -> Iterator[Record]:
        """Yield the record of every finished stage that this user may read."""
        for folder in finished(self.path):
            with suppress(NotReadable):
                record = read_record(folder / "record.json")
                if record is not None and record.key == folder.name:
                    yield record

    def finish(self, record: Record, lease: Lease) -> Record:
        """Move the files of a stage into place, with its record.

        Args:
            record: the record, its `files` still empty.
            lease: in whose folder the files are.

        Returns:
            The record as written.

        Raises:
            LeaseLost: another process has taken the stage over; nothing has been written.
            OSError: the store cannot be written.
        """
        try:
            files = {file.name: fingerprint_of(file) for file in sorted(lease.files.iterdir())}
            record = replace(record, files=files)
            write_atomically(lease.files / "record.json", record.to_json())
        except FileNotFoundError:
            lease.beat()  # says so if it has been lost
            raise
        target = self.folder(record.key)
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.damage(record.key):
            self.set_aside(record.key)
        try:
            lease.publish(lease.files, target)
        except OSError:
            if not self.is_done(record.key):  # else a merge was first: its result is as good
                raise
        sync(target.parent)
        self.forget_failure(record.key)
        return record

    def fail(self, record: Record, traceback: str, lease: Lease) -> None:
        """Write down that a stage has failed, in ``failed/<key>/``.

        Args:
            record: why.
            traceback: for its file.
            lease: of the stage.

        Raises:
            LeaseLost: another process has taken the stage over; nothing has been written.
            OSError: the store cannot be written.
        """
        folder = lease.folder / "failed"
        try:
            folder.mkdir(exist_ok=True)
            # names of files need not be UTF-8
            traceback = traceback.encode("utf-8", "backslashreplace").decode("utf-8")
            write_atomically(folder / "traceback.txt", traceback)
            write_atomically(folder / "record.json", record.to_json())
        except FileNotFoundError:
            lease.beat()
            raise
        lease.got_further()  # the next attempt, if there is one, has a count of its own
        self.forget_failure(record.key)
        (self.path / "failed").mkdir(exist_ok=True)  # someone may have deleted it: else that looks like a lost lease
        lease.publish(folder, self.path / "failed" / record.key)

    def forget_failure(self, key: str) -> None:
        """Delete the record of a failed attempt, so that the stage can be tried again."""
        trash = self.path / "work" / f".{Process.this()}-60-{uuid.uuid4().hex[:12]}"
        with suppress(OSError):  # there is none
            (self.path / "failed" / key).rename(trash)
        shutil.rmtree(trash, ignore_errors=True)


def _says_nothing(path: Path) -> bool:
    """Return whether this is the marker of a store that is just being made, or what file managers leave anywhere."""
    return path.name.startswith((".store.json.", ".DS_Store", "._", ".nfs")) or path.name in {
        "Thumbs.db",
        "desktop.ini",
    }
