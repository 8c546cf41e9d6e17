"""What every tracker does: follows a run, and tells a place of logs what there is to log, each thing once."""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from medssl_bench import hookimpl
from medssl_bench.errors import PluginError, WatcherWarning
from medssl_bench.stopping import Stopped, is_stop
from medssl_bench_trackers.content import Ending, Numbers, cleaned, results_of, without_secrets

if TYPE_CHECKING:
    from medssl_bench.plugin.watching import Board, Epoch, Outcome, RunInfo, StageInfo

Artefacts = Literal["none", "records", "all"]

_LEFT_OUT = {"embed"}
"""Kinds of stages that measure nothing: to log each of them would say nothing."""

_RECORDS = ("record.json", "history.json")


@dataclass
class Known:
    """What a tracker has of a stage.

    Attributes:
        epochs: those that its curves have.
        done: whether it has its results.
        views: whether it has its picture of views.
    """

    epochs: set[int] = field(default_factory=set)
    done: bool = False
    views: bool = False


class Place(ABC):
    """Where a tracker logs to. Each stage is a run of the tracker, found again by the key of the stage."""

    @abstractmethod
    def begin_run(self, suite: str) -> None:
        """Connect, for a run of a suite."""

    @abstractmethod
    def open(self, stage: StageInfo) -> Known:
        """Begin the tracker's run of a stage, or go on with it; return what that has already."""

    @abstractmethod
    def curves(self, stage: StageInfo, numbers: Numbers) -> None:
        """Log the numbers of an epoch, so that they are there if this process is killed."""

    @abstractmethod
    def picture(self, stage: StageInfo, png: bytes) -> None:
        """Log the picture of views."""

    @abstractmethod
    def files(self, stage: StageInfo, files: list[Path]) -> None:
        """Log files that a finished stage has left."""

    @abstractmethod
    def close(self, stage: StageInfo, ending: Ending) -> None:
        """Log how a stage has ended, and end the tracker's run of it."""

    @abstractmethod
    def board(self, frame: Any) -> None:
        """Log the numbers of the leaderboard, a pandas DataFrame."""

    @abstractmethod
    def end_run(self) -> None:
        """Leave nothing behind, neither process nor thread; also after an error."""


class Tracker:
    """Follows a run. If the place fails, it says so in one line and is quiet from then on; the run goes on.

    Args:
        name: of the tracker.
        place: where it logs to.
        views: whether pictures of views are logged.
        artefacts: which files of finished stages are logged.
    """

    def __init__(self, name: str, place: Place, *, views: bool, artefacts: Artefacts) -> None:
        self._name, self._place, self._wants_views, self._artefacts = name, place, views, artefacts
        self._open: dict[str, Known] = {}
        self._stages: dict[str, StageInfo] = {}
        self._failed = False

    @hookimpl
    def medssl_run_begins(
        self, run: RunInfo, refresh: Callable[[], Board], views: Callable[[StageInfo], bytes | None]
    ) -> None:
        """Connect to the place."""
        self._run, self._refresh, self._views = run, refresh, views
        self._safely(lambda: self._place.begin_run(run.suite))

    @hookimpl
    def medssl_stage_begins(self, stage: StageInfo) -> None:
        """Begin, or go on with, the tracker's run of a stage."""
        self._safely(lambda: self._known(stage))

    @hookimpl
    def medssl_epoch_ends(self, stage: StageInfo, epoch: Epoch) -> None:
        """Log an epoch, unless it is logged: a stage that another worker goes on with tells some of them again."""
        numbers = Numbers.of(epoch.index, epoch.metrics, epoch.images_per_second)
        self._safely(lambda: self._epoch(stage, numbers))

    @hookimpl
    def medssl_stage_ends(self, stage: StageInfo, outcome: Outcome) -> None:
        """Log how a stage has ended, and what it has left."""
        self._safely(lambda: self._ended(stage, outcome))

    @hookimpl
    def medssl_run_ends(self) -> None:
        """Log the leaderboard, and leave nothing behind."""
        self._safely(self._end)

    def _known(self, stage: StageInfo) -> Known | None:
        """Return what the place has of a stage; None: its kind is not logged."""
        if stage.kind in _LEFT_OUT:
            return None
        if stage.key not in self._open:
            self._open[stage.key] = self._place.open(stage)
            self._stages[stage.key] = stage
        return self._open[stage.key]

    def _epoch(self, stage: StageInfo, numbers: Numbers) -> None:
        known = self._known(stage)
        if known is not None and numbers.values and numbers.epoch not in known.epochs and not known.done:
            self._place.curves(stage, numbers)
            known.epochs.add(numbers.epoch)

    def _ended(self, stage: StageInfo, outcome: Outcome) -> None:
        if outcome.status == "blocked" and stage.key not in self._open:  # it has not begun: there is nothing to tell
            return
        known = self._known(stage)
        if known is None:
            return
        if known.done:  # it was told before, or another run has logged it
            self._forget(stage)
            return
        metrics: dict[str, Any] = dict(outcome.metrics)
        if outcome.status == "done":
            folder = self._folder(stage)
            for numbers in _history(folder):  # what no event has told, as of epochs in another process
                self._epoch(stage, numbers)
            metrics = _recorded(folder) or metrics
            if self._wants_views and not known.views and (png := self._views(stage)):
                self._place.picture(stage, png)
            with _files(folder, self._artefacts) as files:
                if files:
                    self._place.files(stage, files)
        notes = {f"flag.{code}": text for code, text in outcome.flags.items()}
        notes |= {"reason": outcome.reason} if outcome.reason else {}
        self._close(stage, Ending(outcome.status, results_of(metrics), notes))

    def _close(self, stage: StageInfo, ending: Ending) -> None:
        if not self._open[stage.key].done:  # else the place has ended it long since
            notes = {name: without_secrets(text) for name, text in ending.notes.items()}
            self._place.close(stage, Ending(ending.status, ending.results, notes))
        self._forget(stage)

    def _forget(self, stage: StageInfo) -> None:
        self._open.pop(stage.key, None)
        self._stages.pop(stage.key, None)

    def _end(self) -> None:
        try:
            for stage in list(self._stages.values()):
                self._close(stage, Ending("stopped"))
            board = self._refresh()
            if not board.is_empty:
                self._place.board(board.to_frame())
        finally:
            self._place.end_run()

    def _folder(self, stage: StageInfo) -> Path:
        from medssl_bench.store.store import Store

        return Store(self._run.store).folder(stage.key)

    def _safely(self, act: Callable[[], object]) -> None:
        """Do something, unless the place has failed before; what a library prints is no part of the output."""
        if self._failed:
            return
        try:
            with redirect_stdout(sys.stderr):
                act()
        except Exception as error:
            if is_stop(error):
                raise Stopped from error
            self._failed = True
            with suppress(Exception), redirect_stdout(sys.stderr):
                self._place.end_run()
            text = without_secrets(" ".join(f"{type(error).__name__}: {error}".split()))
            told = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
            warnings.warn(f"{self._name} logs no more of this run: {told}", WatcherWarning, stacklevel=2)


_LONGEST = 300
"""Characters of what went wrong."""


def require_package(module: str, extra: str) -> None:
    """Refuse to follow a run without the package of a tracker.

    Raises:
        PluginError: it is not installed.
    """
    if find_spec(module) is None:
        raise PluginError(f"{module} is not installed; pip install 'medssl-bench-trackers[{extra}]'")


@contextmanager
def _files(folder: Path, wanted: Artefacts) -> Iterator[list[Path]]:
    """Give the files of a finished stage that are logged: JSON as copies without secrets."""
    found = sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    chosen = [file for file in found if wanted == "all" or (wanted == "records" and file.name in _RECORDS)]
    with tempfile.TemporaryDirectory() as copies:
        for file in [file for file in chosen if file.suffix == ".json"]:
            chosen.remove(file)
            with suppress(OSError, ValueError):  # on another machine, deleted meanwhile, or damaged
                copy = Path(copies, file.name)
                copy.write_text(_told(file), "utf-8")
                chosen.append(copy)
        yield chosen


def _told(file: Path) -> str:
    """Return the text of a JSON file without secrets; of a record, also without the machine and its folders."""
    from medssl_bench.store.places import for_strangers
    from medssl_bench.store.record import Record

    text = file.read_text("utf-8")
    if file.name == "record.json":
        return Record(**cleaned(asdict(for_strangers(Record.from_json(text))))).to_json()
    return json.dumps(cleaned(json.loads(text)), indent=1, ensure_ascii=False) + "\n"


def _history(folder: Path) -> Iterator[Numbers]:
    """Yield what a finished stage has measured by epoch."""
    rows = _json(folder / "history.json")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("epoch"), int | float):
            yield Numbers.of(int(row["epoch"]), row)


def _recorded(folder: Path) -> dict[str, Any]:
    """Return all that a finished stage has measured."""
    record = _json(folder / "record.json")
    metrics = record.get("metrics") if isinstance(record, dict) else None
    return metrics if isinstance(metrics, dict) else {}


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):  # on another machine, or deleted meanwhile
        return None
