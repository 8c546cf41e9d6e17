"""The ledger: what is known of the jobs of a store, so that any process can follow a job, or end it.

``jobs/UNIT/`` of the store holds ``job.json`` (what the worker is to do), ``needs.json`` (what `store gc` must spare;
it is deleted when the job has ended), ``driver`` (which process may submit), ``handle`` (the engine's name of the job),
``events.jsonl`` (what workers said) and ``log`` (what they printed). None of them holds environment variables.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medssl_bench.errors import UserError
from medssl_bench.executors.remote import is_dead, this_worker

_LAST_LINES, _LAST_BYTES = 3, 4096


@dataclass(frozen=True)
class Handle:
    """A job that was submitted.

    Attributes:
        handle: the engine's name of it.
        attempt: its number among those of its unit, from 1.
        fruitless: how many attempts before this one, in a row, got no further.
        mark: how far the stages were when it was submitted.
    """

    handle: str
    attempt: int = 1
    fruitless: int = 0
    mark: str = ""


class Notes:
    """What is known of the job of one unit.

    Args:
        folder: ``jobs/UNIT`` of the store, absolute.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._offset = 0
        self._begun = b""

    @property
    def unit(self) -> str:
        """Its name."""
        return self.folder.name

    @property
    def log(self) -> Path:
        """What the workers printed."""
        return self.folder / "log"

    @property
    def is_open(self) -> bool:
        """Whether the job has not ended, as far as is known."""
        return (self.folder / "needs.json").exists()

    def open(self, job: dict[str, Any], needed: list[str]) -> None:
        """Begin: write what the worker is to do, unless this is the job of another driver already.

        Args:
            job: JSON-able.
            needed: keys of the stages that must stay in the store.

        Raises:
            UserError: it cannot be written, as the disk is full, say.
        """
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self.is_open:  # of an earlier job of these stages
                for name in ("handle", "events.jsonl", "log", "ended"):
                    (self.folder / name).unlink(missing_ok=True)
        self._write("job.json", json.dumps(job))
        self._write("needs.json", json.dumps(sorted(needed)))

    def close(self) -> None:
        """End: nothing of the store is needed by it any more. The notes stay until `store gc` deletes them."""
        with suppress(OSError):
            (self.folder / "ended").touch()
        (self.folder / "needs.json").unlink(missing_ok=True)
        self.release()

    def job(self) -> dict[str, Any]:
        """Return what the worker is to do; nothing where that cannot be read."""
        return self._read("job.json")

    def handle(self) -> Handle | None:
        """Return the job that was submitted last; None: there is none."""
        found = self._read("handle")
        try:
            return Handle(**found) if found else None
        except TypeError:
            return None

    def submitted(self, handle: Handle) -> None:
        """Note a job.

        Raises:
            UserError: it cannot be written.
        """
        self._write("handle", json.dumps(asdict(handle)))

    def claim(self, *, force: bool = False) -> bool:
        """Return whether this process is the one that submits jobs of the unit, and make it so if none is.

        Args:
            force: whether to take it from a process of another machine, of which nothing is sure.

        Raises:
            UserError: it cannot be written.
        """
        file, me = self.folder / "driver", this_worker()
        for _ in range(2):
            with self._writing(), suppress(FileExistsError):
                with file.open("x", encoding="utf-8") as stream:
                    stream.write(me)
                return True
            owner = self._text("driver")
            if owner == me:
                return True
            if not force and not is_dead(owner) and owner:
                return False
            with suppress(OSError):  # only one process can rename it
                file.rename(file.with_name(f"driver-{me}"))
                (self.folder / f"driver-{me}").unlink(missing_ok=True)
        return False

    def release(self) -> None:
        """Let another process submit jobs of the unit."""
        if self._text("driver") == this_worker():
            (self.folder / "driver").unlink(missing_ok=True)

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what workers have said since the last time; lines that are no events are left out."""
        try:
            with (self.folder / "events.jsonl").open("rb") as file:  # opened, as only then network file systems look
                file.seek(self._offset)
                block = file.read()
        except OSError:
            return
        self._offset += len(block)
        *lines, self._begun = (self._begun + block).split(b"\n")
        for line in lines:
            with suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    yield event

    def last_lines(self) -> str:
        """Return the end of what the workers printed, in one line."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _LAST_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return " / ".join(lines[-_LAST_LINES:])

    def _write(self, name: str, text: str) -> None:
        part = self.folder / f".{name}.{this_worker()}"
        with self._writing():
            part.write_text(text, "utf-8")
            part.replace(self.folder / name)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = error.strerror or error
            raise UserError(f"{self.folder}: the notes of this job cannot be written: {why}") from error

    def _text(self, name: str) -> str:
        try:
            return (self.folder / name).read_text("utf-8")
        except (OSError, ValueError):
            return ""

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads(self._text(name) or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Ledger:
    """The notes of all jobs of a store.

    Args:
        store: the store's folder.
    """

    def __init__(self, store: Path) -> None:
        self._jobs = store.absolute() / "jobs"

    def notes(self, unit: str) -> Notes:
        """Return the notes of a unit, whether there are any or not."""
        return Notes(self._jobs / unit)

    def open(self) -> list[Notes]:
        """Return the notes of the jobs that have not ended, as far as is known."""
        try:
            folders = sorted(path for path in self._jobs.iterdir() if not path.name.startswith("."))
        except OSError:
            return []
        return [notes for notes in map(Notes, folders) if notes.is_open]
