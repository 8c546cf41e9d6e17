"""Who works on which stage: leases, which expire when their owner dies or stops, and fence off what it writes later.

Everything rests on one operation that is atomic on every file system, network ones too: renaming a folder. No clock of
another machine is trusted: an owner has stopped if the file that it touches does not change while one looks on.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path

from medssl_bench.errors import LeaseLost
from medssl_bench.store.listing import all_in, is_key, listed, remove
from medssl_bench.store.process import Process
from medssl_bench.store.reading import open_plain, read_text

SECONDS = 60.0
"""How long an owner of another machine may give no sign of life before others take over."""

_FREE = "free"
_BEATS = 8
"""Signs of life in the time of a lease."""


class Lease:
    """The right of this process to work on a stage, and the folder to do it in.

    The folder's name holds a token of this lease. Who takes over renames the folder: from that moment on this process
    can neither write nor publish anything of the stage, as no path that it knows leads there any more.

    Attributes:
        folder: what is kept of an unfinished stage, such as its checkpoint; it goes over to the next owner.
        deaths: how many owners before this one have died without getting further.
    """

    def __init__(self, place: Path, name: str, seconds: float) -> None:
        self.folder = place / name
        self._trash = place.parent / f".{name}"
        shutil.rmtree(self.files, ignore_errors=True)
        for path in all_in(self.folder):
            if path.name.startswith("."):  # an owner was killed as it wrote
                remove(path)
        try:
            self.files.mkdir()
        except FileNotFoundError as error:
            raise LeaseLost("another process has taken this stage over") from error
        self.deaths = _read_number(self.folder / "deaths")
        self._ended = threading.Event()
        self._lost = False
        self._seconds = seconds
        self.beat()
        threading.Thread(target=self._live, name="lease", daemon=True).start()

    @property
    def files(self) -> Path:
        """The folder in which the files of the stage are made."""
        return self.folder / "files"

    def beat(self) -> None:
        """Give a sign of life.

        Raises:
            LeaseLost: another process has taken over.
        """
        if not self._lost:
            try:
                (self.folder / "beat").touch()  # needs no space on the disk once the file is there
            except FileNotFoundError:
                self._lost = True
            except OSError:
                pass  # the file system has a bad moment; the lease expires if it lasts
        if self._lost:
            raise LeaseLost("another process has taken this stage over, as this one gave no sign of life for too long")

    def _live(self) -> None:
        while not self._ended.wait(self._seconds / _BEATS):
            try:
                self.beat()
            except LeaseLost:
                return

    def got_further(self) -> None:
        """Note that the stage has got further, so that earlier deaths do not count any more."""
        (self.folder / "deaths").unlink(missing_ok=True)

    def publish(self, folder: Path, target: Path) -> None:
        """Move one of this lease's folders to its place in the store.

        Raises:
            LeaseLost: another process has taken over.
            OSError: it cannot be moved; there is something in its place, say.
        """
        try:
            folder.rename(target)
        except FileNotFoundError as error:
            self._lost = True
            raise LeaseLost("another process has taken this stage over") from error

    def release(self, *, keep: bool) -> None:
        """Give the stage up.

        Args:
            keep: leave the folder to the next owner; else it is deleted.
        """
        self._ended.set()
        with suppress(OSError):  # lost meanwhile: there is nothing to give up
            if keep:
                shutil.rmtree(self.files, ignore_errors=True)
                self.folder.rename(self.folder.with_name(_FREE))
            else:
                self.folder.rename(self._trash)
                _clear_strays(self.folder.parent)
        shutil.rmtree(self._trash, ignore_errors=True)


class Leases:
    """The leases of a store: ``work/KEY/`` holds one folder, named after its owner, or ``free``.

    Args:
        work: the folder ``work`` of the store.

    Attributes:
        gone: hosts that the user declared dead (`--gone`), as patterns.
    """

    def __init__(self, work: Path) -> None:
        self.gone: tuple[str, ...] = ()
        self._work = work
        self._seen: dict[str, tuple[int, float]] = {}

    def acquire(self, key: str, seconds: float = SECONDS) -> Lease | None:
        """Take the lease of a stage, or return None: another process has it.

        Args:
            key: content key of the stage.
            seconds: how long the lease lasts without a sign of life.

        Raises:
            LeaseLost: another process has taken it over already.
            OSError: the store cannot be written.
        """
        place = self._work / key
        name = f"{Process.this()}-{seconds:g}-{uuid.uuid4().hex[:12]}"
        owner = self.owner(key)
        if owner is None:
            _clear_strays(place)
            return Lease(place, name, seconds) if self._found(place, name) else None
        if owner != _FREE and not self._has_expired(place, owner):
            return None
        try:
            (place / owner).rename(place / name)
        except FileNotFoundError:
            # another process was first; or an answer was lost on the way, and this is that to a second try
            if not (place / name).is_dir():
                return None
        if owner != _FREE:
            _count_death(place / name)
        return Lease(place, name, seconds)

    def revoke(self, key: str, owner: str) -> bool:
        """Free a stage whose owner has certainly ended, on another machine too; it counts as a death of its worker.

        It is for who knows that from elsewhere, such as from a scheduler. An owner that lives nevertheless is fenced
        off, as by any other that takes over.

        Args:
            key: content key of the stage.
            owner: the name that `owner` gave.

        Returns:
            Whether it was still its owner.
        """
        place = self._work / key
        if owner == _FREE:
            return False
        try:
            (place / owner).rename(place / _FREE)
        except OSError:
            return False
        _count_death(place / _FREE)
        return True

    def owner(self, key: str) -> str | None:
        """Return the name of a stage's folder: of who works on it or did so last, or ``free``; None: there is none."""
        return min((path.name for path in listed(self._work / key) if _is_owner(path.name)), default=None)

    def kept(self, key: str) -> Path | None:
        """Return the folder of what there is of an unfinished stage, at work or not; None: nothing."""
        owner = self.owner(key)
        return None if owner is None else self._work / key / owner

    def is_held(self, key: str) -> bool:
        """Return whether a process may be working on a stage; a dead process of another machine counts at first."""
        owner = self.owner(key)
        return owner is not None and owner != _FREE and not self._has_expired(self._work / key, owner)

    def unfinished(self) -> list[str]:
        """Return the keys of the stages that are being worked on or were left unfinished."""
        return [path.name for path in listed(self._work) if is_key(path.name) and path.is_dir()]

    def is_gone(self, process: Process) -> bool:
        """Return whether a process surely does not run any more."""
        return process.is_dead() or process.is_of(self.gone)

    def is_of_the_dead(self, owner: str) -> bool:
        """Return whether the owner of this name has certainly ended."""
        process = _process_of(owner)
        return process is not None and self.is_gone(process)

    def is_idle(self, owner: str) -> bool:
        """Return whether certainly no process works in the folder of this name."""
        return owner == _FREE or self.is_of_the_dead(owner)

    def _found(self, place: Path, name: str) -> bool:
        """Make the folder of a stage, whole, unless another process is first."""
        part = self._work / f".{name}"
        (part / name).mkdir(parents=True)
        try:
            part.rename(place)
        except OSError as error:
            shutil.rmtree(part, ignore_errors=True)
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                raise
            return (place / name).is_dir()  # an answer was lost on the way, and this is that to a second try
        return True

    def _has_expired(self, place: Path, owner: str) -> bool:
        """Return whether the owner of a stage is surely dead, or has given no sign of life for a lease's time."""
        if self.is_of_the_dead(owner):
            return True
        try:  # opened, as only then network file systems ask the server
            with open_plain(place / owner / "beat") as file:
                beat = os.fstat(file.fileno()).st_mtime_ns
        except OSError:
            beat = 0  # it has not begun, or is gone
        now = time.monotonic()
        before, since = self._seen.get(owner, (None, now))
        if beat != before:
            self._seen[owner] = (beat, now)
            return False
        return now - since > _seconds_of(owner)


def owner_text(owner: str) -> str:
    """Return who owns a lease, for people."""
    process = _process_of(owner)
    return f"process {process.number} on {process.host}" if process else owner


def _process_of(owner: str) -> Process | None:
    return Process.parse("-".join(owner.split("-")[:4])) if owner.count("-") == 5 else None


def _seconds_of(owner: str) -> float:
    try:
        return float(owner.split("-")[4])
    except (IndexError, ValueError):
        return SECONDS


def _is_owner(name: str) -> bool:
    return name == _FREE or name.count("-") == 5


def _clear_strays(place: Path) -> None:
    """Delete the place of a stage, unless it has an owner, with what no owner has put there: a file manager, say."""
    with suppress(OSError):
        for path in place.iterdir():
            if not _is_owner(path.name):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        place.rmdir()


def _count_death(folder: Path) -> None:
    with suppress(OSError):  # a full disk: uncounted
        (folder / "deaths").write_text(str(_read_number(folder / "deaths") + 1), "utf-8")


def _read_number(file: Path) -> int:
    try:
        return int(read_text(file))
    except (OSError, ValueError):
        return 0
