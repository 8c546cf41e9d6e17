"""What a worker writes of epochs: each one's end, in order, however soon one follows another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench_cluster import worker
from medssl_bench_cluster.ledger import Notes

from medssl_bench.plugin.watching import Epoch, Outcome, StageInfo

if TYPE_CHECKING:
    from pathlib import Path

STAGE = StageInfo("0" * 64, "pretrain", "pretrain · nat", None)


def _epoch(events: worker.Events, index: int) -> None:
    events.tell("medssl_epoch_begins", stage=STAGE, epoch=Epoch(index, 5))
    events.tell("medssl_epoch_ends", stage=STAGE, epoch=Epoch(index, 5, {"loss": 1.0 / (1 + index)}, 10.0))


def test_no_end_of_an_epoch_is_lost_and_none_is_late(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(worker, "_QUIET", 1e9)  # seconds: a machine may be slow
    events, notes = worker.Events(tmp_path / "events.jsonl"), Notes(tmp_path)
    events.tell("medssl_stage_begins", stage=STAGE)
    for index in range(3):
        _epoch(events, index)
    first = list(notes.events())
    assert [event.get("hook") for event in first] == ["medssl_stage_begins", "medssl_epoch_begins"]  # so far
    events.write(warning="slow", category="UserWarning")
    _epoch(events, 3)
    _epoch(events, 4)
    events.tell("medssl_stage_ends", stage=STAGE, outcome=Outcome(STAGE, "done", 1.0))
    told = [*first, *notes.events()]
    assert [event["n"] for event in told] == list(range(1, len(told) + 1))
    assert [event["epoch"]["index"] for event in told if event.get("hook") == "medssl_epoch_ends"] == [0, 1, 2, 3, 4]
    assert "warning" in told[5]
    assert told[-1]["hook"] == "medssl_stage_ends"


def test_slow_epochs_are_told_at_once(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(worker, "_QUIET", 0.0)
    events, notes = worker.Events(tmp_path / "events.jsonl"), Notes(tmp_path)
    _epoch(events, 0)
    assert [event["hook"] for event in notes.events()] == ["medssl_epoch_begins", "medssl_epoch_ends"]
