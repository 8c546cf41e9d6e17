"""The worker: a process that the engine has placed; it does the stages of its unit, and says so in a file."""

from __future__ import annotations

import json
import math
import os
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from medssl_bench.errors import UserError
from medssl_bench.executors.base import Watchers
from medssl_bench.executors.remote import event_of, this_worker, work
from medssl_bench.stopping import STATUS, end_process, is_stop, listen
from medssl_bench.store.store import Store
from medssl_bench_cluster.ledger import Notes

_QUIET = 1.0
"""Seconds between two writes of epochs: trackers and time left need no more, and a shared disk is spared."""

_START = "import sys; folder, *sys.path[:] = sys.argv[1:]; from medssl_bench_cluster.worker import main; main(folder)"


def command(folder: Path) -> tuple[str, ...]:
    """Return the command of a worker: this very Python, with the packages that this process finds and no others.

    Args:
        folder: of the notes of its unit, on a shared disk.
    """
    return (sys.executable, "-P", "-c", _START, str(folder), *(path for path in sys.path if path))


class Events(Watchers):
    """Appends what happens to a file, a line each.

    Ends of epochs that come soon after another are held, and written together with what comes next: curves stay
    whole and in order. Begins are left out then. A line that cannot be written is lost, and the work goes on: results
    are in the store.

    Args:
        file: the file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._number = 0
        self._process, self._last = os.getpid(), -math.inf
        self._held: list[dict[str, Any]] = []
        self._writing = threading.RLock()  # one that a warning in the midst of a line does not wait for
        self._worker = this_worker()

    def tell(self, hook: str, **arguments: Any) -> None:
        """Write one event, or hold it."""
        event = event_of(hook, arguments)
        is_epoch = hook.startswith("medssl_epoch_")
        if is_epoch and time.monotonic() - self._last < _QUIET:
            if hook == "medssl_epoch_ends":
                with self._writing:
                    self._held.append(event)
            return
        self._last = time.monotonic() if is_epoch else -math.inf
        self.write(**event)

    def write(self, **event: Any) -> None:
        """Write what is held, and one line; a forked process writes nothing."""
        if os.getpid() != self._process:
            return
        with self._writing:
            held, self._held = self._held, []
            text = "".join(self._line(each) for each in [*held, event])
            with suppress(OSError):
                descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
                try:
                    os.write(descriptor, text.encode())
                finally:
                    os.close(descriptor)

    def _line(self, event: dict[str, Any]) -> str:
        self._number += 1
        return json.dumps({"n": self._number, "worker": self._worker, **event}) + "\n"


def main(folder: str) -> None:
    """Do the job of a folder of notes, and end the process: 0, or 75 if something is left to do."""
    notes = Path(folder)
    events = Events(notes / "events.jsonl")
    warnings.showwarning = lambda message, category, *_: events.write(warning=str(message), category=category.__name__)
    listen(patient=True)
    status = 0
    job: dict[str, Any] = {}
    try:
        job = json.loads((notes / "job.json").read_text("utf-8"))
        events.write(began=True)
        ended = {outcome.stage.key for outcome in work(job["work"], events, alone=True)}
        if left := [stage for stage in job["work"]["stages"] if stage["key"] not in ended]:
            status = STATUS
            _leave(notes, job, left)
            events.write(left=[stage["key"] for stage in left])
        else:
            events.write(end=True)
            if job["detached"]:  # no driver does
                Notes(notes).close()
    except BaseException as error:
        status = STATUS
        if is_stop(error):
            if job.get("detached"):
                from medssl_bench_cluster.successor import succeed

                succeed(Notes(notes), job)
            events.write(stopped=True)
        elif isinstance(error, UserError):
            status = 2
            events.write(refused=str(error))
        else:
            raise
    end_process(status, sys.stdout, sys.stderr)


def _leave(folder: Path, job: dict[str, Any], left: list[dict[str, Any]]) -> None:
    """Have a job without a driver go on after the jobs that make what it lacks; what others make is left to them."""
    here = {stage["key"] for stage in job["work"]["stages"]}
    store = Store(Path(job["work"]["store"]))
    missing = {key for stage in left for key in stage["parents"] if key not in here and not store.is_done(key)}
    if job["detached"] and missing:
        from medssl_bench_cluster.successor import succeed

        succeed(Notes(folder), job, missing)
