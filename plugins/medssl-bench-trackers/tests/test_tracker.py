"""What all trackers share: each thing once, no secrets, and one line when a place fails."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from medssl_bench_trackers.content import file_name, names_of, settings_of
from medssl_bench_trackers.tracker import Known, Place, Tracker

from medssl_bench.errors import WatcherWarning
from medssl_bench.plugin.watching import ArmInfo, Epoch, Outcome, RunInfo, StageInfo
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store

STAGE = StageInfo(
    "a" * 64,
    "pretrain",
    "pretrain · nat",
    arms=(ArmInfo("one", "x"), ArmInfo("two", "x"), ArmInfo("two", "y")),
    dataset="cells",
    seed=0,
    recipe="nat",
    parameters={
        "dataset": {
            "name": "npz",
            "path": "https://me:p@ss@host/cells.npz?X-Amz-Signature=h1d&part=2",
            "token": "t0k3n",
        },
        "augmentation": {"name": "sequence", "ops": [{"name": "crop", "api_key": "k3y"}]},
        "storage": {"aws_secret_access_key": "k3y", "credentials": {"user": "k3y"}, "authorization": "k3y", "keys": 2},
        "passphrase": "k3y",
        "epochs": 3,
    },
)


class Memory(Place):
    """Keeps what is logged."""

    def __init__(self, fails_at: str = "") -> None:
        self.logged: list[tuple] = []
        self.known: dict[str, Known] = {}
        self.fails_at = fails_at

    def _log(self, what: str, *details: object) -> None:
        self.logged.append((what, *details))
        if what == self.fails_at:
            raise ConnectionError("no answer of http://me:pass@host\nat all")

    def begin_run(self, suite):
        self._log("begins", suite)

    def open(self, stage):
        self._log("opens", stage.key)
        return self.known.setdefault(stage.key, Known())

    def curves(self, stage, numbers):
        assert stage.key in self.known
        self._log("curves", numbers.epoch, dict(numbers.values))

    def picture(self, stage, png):
        assert stage.key in self.known
        self._log("picture", png)

    def files(self, stage, files):
        assert stage.key in self.known
        self._log("files", {file.name: file.read_text() for file in files})

    def close(self, stage, ending):
        assert not self.known[stage.key].done, "what is done is not open"
        self.known[stage.key].done = ending.status == "done"
        self._log("closes", ending.status, dict(ending.results), dict(ending.notes))

    def board(self, frame):
        self._log("board", frame)

    def end_run(self):
        self._log("ends")


def _tracker(place: Memory, store: Path) -> Tracker:
    Store(store).prepare()
    tracker = Tracker("memory", place, views=True, artefacts="records")
    run = RunInfo("suite", store, (STAGE,), 0)
    board = SimpleNamespace(is_empty=False, to_frame=lambda: "numbers")
    tracker.medssl_run_begins(run, lambda: board, lambda _: b"png")
    return tracker


def test_what_comes_again_is_logged_once_and_what_no_event_told_from_the_history(tmp_path):
    place = Memory()
    tracker = _tracker(place, tmp_path)
    folder = tmp_path / "done" / "aa" / STAGE.key
    folder.mkdir(parents=True)
    (folder / "history.json").write_text(json.dumps([{"epoch": e, "loss": 3.0 - e} for e in range(3)]))
    record = Record(
        STAGE.key,
        "pretrain",
        "pretrain",
        "done",
        {},
        metrics={"loss": 1, "kept": True},
        provenance={"host": "my-machine", "origin": "s3://a:b@c"},
        spec={"path": "/home/me/cells.npz", "token": "t0k3n"},
    )
    (folder / "record.json").write_text(record.to_json())
    for _ in range(2):  # a worker dies, and another begins again
        tracker.medssl_stage_begins(STAGE)
        tracker.medssl_epoch_ends(STAGE, Epoch(0, 3, {"loss": 3.0, "epoch": 0.0}, 10.0))
    for _ in range(2):
        tracker.medssl_stage_ends(STAGE, Outcome(STAGE, "done", flags={"odd": "it is odd"}))
    tracker.medssl_run_ends()
    told = [entry for entry in place.logged if entry[0] not in {"opens", "files"}]
    assert told == [
        ("begins", "suite"),
        ("curves", 0, {"epoch/loss": 3.0, "epoch/images_per_second": 10.0}),
        ("curves", 1, {"epoch/loss": 2.0}),
        ("curves", 2, {"epoch/loss": 1.0}),
        ("picture", b"png"),
        ("closes", "done", {"result/loss": 1.0}, {"flag.odd": "it is odd"}),
        ("board", "numbers"),
        ("ends",),
    ]
    ((_, files),) = [entry for entry in place.logged if entry[0] == "files"]
    assert files.keys() == {"history.json", "record.json"}
    told = Record.from_json(files["record.json"])
    assert told.provenance == {"host": None, "origin": "s3://***@c"}
    assert told.spec == {"path": "cells.npz", "token": "***"}


def test_what_is_damaged_is_no_file_of_the_tracker(tmp_path):
    place = Memory()
    tracker = _tracker(place, tmp_path)
    folder = tmp_path / "done" / "aa" / STAGE.key
    folder.mkdir(parents=True)
    (folder / "history.json").write_text("[]")
    (folder / "record.json").write_text("{")
    tracker.medssl_stage_ends(STAGE, Outcome(STAGE, "done"))
    assert [entry for entry in place.logged if entry[0] == "files"] == [("files", {"history.json": "[]\n"})]


def test_what_another_run_has_logged_is_left_alone_when_this_run_ends_before_it(tmp_path):
    place = Memory()
    place.known[STAGE.key] = Known(done=True)
    tracker = _tracker(place, tmp_path)
    tracker.medssl_stage_begins(STAGE)
    tracker.medssl_run_ends()
    assert place.logged == [("begins", "suite"), ("opens", STAGE.key), ("board", "numbers"), ("ends",)]


def test_what_is_blocked_before_it_begins_is_no_run_of_the_tracker(tmp_path):
    place = Memory()
    tracker = _tracker(place, tmp_path)
    tracker.medssl_stage_ends(STAGE, Outcome(STAGE, "blocked", reason="its pretraining has failed"))
    assert place.logged == [("begins", "suite")]


def test_a_gap_that_a_killed_process_has_left_is_filled(tmp_path):
    place = Memory()
    tracker = _tracker(place, tmp_path)
    place.known[STAGE.key] = Known({0, 2})
    folder = tmp_path / "done" / "aa" / STAGE.key
    folder.mkdir(parents=True)
    (folder / "history.json").write_text(json.dumps([{"epoch": e, "loss": 3.0 - e} for e in range(4)]))
    tracker.medssl_epoch_ends(STAGE, Epoch(3, 4, {"loss": 0.0}))
    tracker.medssl_stage_ends(STAGE, Outcome(STAGE, "done"))
    assert [entry[1] for entry in place.logged if entry[0] == "curves"] == [3, 1]


def test_a_failure_has_its_reason_and_what_is_under_way_at_the_end_is_stopped(tmp_path):
    place = Memory()
    tracker = _tracker(place, tmp_path)
    tracker.medssl_stage_ends(STAGE, Outcome(STAGE, "failed", reason="no file http://me:pass@host/x"))
    tracker.medssl_stage_begins(STAGE)
    tracker.medssl_run_ends()
    closed = [entry for entry in place.logged if entry[0] == "closes"]
    assert closed == [("closes", "failed", {}, {"reason": "no file http://***@host/x"}), ("closes", "stopped", {}, {})]


@pytest.mark.parametrize("at", ["begins", "opens", "curves", "closes", "board", "ends"])
def test_a_place_that_fails_has_one_line_and_is_left_alone(at, tmp_path):
    place = Memory(at)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        tracker = _tracker(place, tmp_path)
        tracker.medssl_stage_begins(STAGE)
        tracker.medssl_epoch_ends(STAGE, Epoch(0, 3, {"loss": 3.0}))
        tracker.medssl_stage_ends(STAGE, Outcome(STAGE, "done"))
        tracker.medssl_run_ends()
    (line,) = [str(warning.message) for warning in told if warning.category is WatcherWarning]
    assert line == "memory logs no more of this run: ConnectionError: no answer of http://***@host at all"
    assert place.logged[-1] == ("ends",)
    assert [entry[0] for entry in place.logged].index(at) >= len(place.logged) - 3


def test_settings_are_flat_and_names_are_those_of_the_suite_and_neither_has_secrets():
    settings = settings_of(STAGE)
    assert settings["dataset.path"] == "https://***@host/cells.npz?X-Amz-Signature=***&part=2"
    assert settings["dataset.token"] == "***"
    assert json.loads(settings["augmentation.ops"]) == [{"name": "crop", "api_key": "***"}]
    assert (settings["epochs"], settings["seed"], settings["kind"]) == (3, 0, "pretrain")
    names = names_of(STAGE)
    assert (names["arms"], names["comparisons"], names["dataset"]) == ("x | y", "one | two", "cells")
    assert not any(secret in str((settings, names)) for secret in ("p@ss", "t0k3n", "k3y", "h1d"))
    assert settings["storage.keys"] == 2
    hidden = ("storage.aws_secret_access_key", "storage.credentials", "storage.authorization", "passphrase")
    assert {settings[name] for name in hidden} == {"***"}
    assert file_name("table · cells/α 100 %") == "table-cells-α-100"
