"""Checkpoints of unfinished stages: everything that a training needs to go on as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from medssl_bench.checkpoints import Checkpoints, TrainingState
from medssl_bench.errors import DamageWarning, LeaseLost
from medssl_bench.stopping import is_asked, stop_if_asked
from medssl_bench.store.atomic import write_atomically
from medssl_bench.store.listing import all_in
from medssl_bench.store.reading import open_plain, read_text
from medssl_bench.store.tensors import load_tensors, save_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from medssl_bench.store.leases import Lease

FORMAT = 1
"""Version of what a checkpoint holds; one of another version is not read."""

EVERY = 3.0
"""Seconds until the first checkpoint, and the fewest between two, unless a run sets another time."""

_SHARE = 1 / 60
"""The most of a training's time that checkpoints may take, unless a run sets their distance."""

_INDEX = "checkpoint.txt"
_LARGEST_INDEX = 2**28
"""Bytes of the largest index that is read; it has what was measured in every epoch."""


class StoredCheckpoints(Checkpoints):
    """Checkpoints in the folder of a lease: ``checkpoint.txt``, and the file of tensors whose number it holds.

    Args:
        lease: of the stage.
        every: seconds between two checkpoints; None: the first after three, the others so far apart that all of them
            take no more than a sixtieth of the time.
        spent: returns what the stage has cost so far, to be kept with the checkpoint.
    """

    def __init__(self, lease: Lease, every: float | None, spent: Callable[[], Mapping[str, Any]]) -> None:
        self._lease = lease
        self._every = every
        self._spent = spent
        self._began = self._saved = time.monotonic()
        self._last = self._total = 0.0
        self._full = False
        last = _index(lease)
        if last is not None:  # one that was killed between the two files of a checkpoint has left a newer one
            _clear(lease, keep=_file(lease, last["number"]))

    @staticmethod
    def is_in(lease: Lease) -> bool:
        """Return whether there is a checkpoint in the folder of a lease."""
        return _index(lease) is not None

    @staticmethod
    def spent_in(lease: Lease) -> dict[str, Any]:
        """Return what a stage had cost when its last checkpoint was saved; empty without one, or with a damaged one."""
        found = _sound(lease)
        return {} if found is None else found["spent"]

    def restore(self) -> TrainingState | None:
        """Return the state that was saved last, or None; a damaged one gives a warning and is left out."""
        found = _sound(self._lease)
        if found is None:
            return None
        return TrainingState(load_tensors(_file(self._lease, found["number"])), found["values"])

    def forget(self) -> None:
        """Delete the checkpoint: the stage starts again."""
        _delete(self._lease)

    def is_due(self) -> bool:
        """Return whether a checkpoint should be saved now: time has come, or a stop has been asked for."""
        now = time.monotonic()
        if is_asked():
            return True
        if self._every is not None:
            return now - self._saved >= self._every
        # the first comes early, however long it takes: a run that is killed often must still get further
        affordable = not self._total or (now - self._began) * _SHARE >= self._total + self._last
        return affordable and now - self._saved >= EVERY

    def save(self, state: TrainingState) -> None:
        """Save a state; a full disk gives one warning, and the training goes on.

        Raises:
            Stopped: a stop has been asked for; the state is saved.
            LeaseLost: another process has taken the stage over.
        """
        began = time.monotonic()
        self._lease.beat()
        try:
            self._write(state)
            self._lease.got_further()
        except FileNotFoundError as error:
            raise LeaseLost("another process has taken this stage over") from error
        except OSError as error:
            if not self._full:
                text = f"{self._lease.folder}: no checkpoint can be written: {error.strerror or error}"
                warnings.warn(text, DamageWarning, stacklevel=2)
            self._full = True
        self._saved = time.monotonic()
        self._last = self._saved - began
        self._total += self._last
        stop_if_asked()

    def _write(self, state: TrainingState) -> None:
        before = _index(self._lease)
        number = 0 if before is None else before["number"] + 1
        file = _file(self._lease, number)
        try:
            save_tensors(state.tensors, file)
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                os.fsync(stream.fileno())
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        index = {
            "format": FORMAT,
            "number": number,
            "sha256": digest,
            "spent": dict(self._spent()),
            "values": dict(state.values),
        }
        text = json.dumps(index)
        write_atomically(self._lease.folder / _INDEX, f"{_digest(text)} {text}\n")
        _clear(self._lease, keep=file)


def mark_of(kept: Path | None) -> str:
    """Return a text that changes whenever the checkpoint of a stage does; empty: there is none.

    Args:
        kept: what there is of the stage, as `Leases.kept` returns it.
    """
    if kept is None:
        return ""
    try:
        with open_plain(kept / _INDEX) as file:
            return file.read(64).decode("ascii", "replace")
    except OSError:
        return ""


def _file(lease: Lease, number: int) -> Path:
    return lease.folder / f"checkpoint-{number}.safetensors"


def _clear(lease: Lease, keep: Path | None = None) -> None:
    for file in all_in(lease.folder):
        if file != keep and file.match("checkpoint-*.safetensors"):
            with suppress(OSError):
                file.unlink()


def _delete(lease: Lease) -> None:
    (lease.folder / _INDEX).unlink(missing_ok=True)
    _clear(lease)


def _sound(lease: Lease) -> dict[str, Any] | None:
    """Return the `_index` of the last checkpoint, or None; a damaged one gives a warning and is deleted."""
    file = lease.folder / _INDEX
    if not file.exists():
        return None
    found, reason = _index(lease), "it is not what was written, or another version's"
    if found is not None:
        file = _file(lease, found["number"])
        reason = _wrong_with(file, found["sha256"])
        if not reason:
            return found
    text = f"{file}: the checkpoint is damaged ({reason}); the stage starts again"
    warnings.warn(text, DamageWarning, stacklevel=2)
    _delete(lease)
    return None


def _wrong_with(file: Path, sha256: str) -> str:
    try:
        with open_plain(file) as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return " ".join(str(error).split())
    return "" if digest == sha256 else "its SHA-256 is another"


def _index(lease: Lease) -> dict[str, Any] | None:
    """Return what is known of the last checkpoint: number, ``sha256``, ``spent``, ``values``; None: there is none."""
    try:
        digest, _, text = read_text(lease.folder / _INDEX, _LARGEST_INDEX).strip().partition(" ")
        found = json.loads(text)  # measurements may be no numbers
        if digest != _digest(text) or found["format"] != FORMAT:
            return None
        return {
            "number": int(found["number"]),
            "sha256": str(found["sha256"]),
            "spent": dict(found["spent"]),
            "values": dict(found["values"]),
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
