"""Checkpoints: the last whole one is found, whatever has happened to the others."""

from __future__ import annotations

import json
import math
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from medssl_bench.checkpoints import Checkpoints, TrainingState
from medssl_bench.errors import DamageWarning, LeaseLost
from medssl_bench.stopping import Stopped
from medssl_bench.store.checkpoints import StoredCheckpoints
from medssl_bench.store.leases import Lease, Leases

KEY = "ab" + "0" * 62


@pytest.fixture
def lease(tmp_path: Path) -> Iterator[Lease]:
    found = Leases(tmp_path).acquire(KEY)
    assert found is not None
    yield found
    found.release(keep=False)


def _state(step: int) -> TrainingState:
    values = {"step": step, "history": [{"loss": 0.1 + step, "nan": math.nan}], "best": None}
    return TrainingState({"w": torch.full((3, 2), step / 3), "step": torch.tensor(float(step))}, values)


def _of(lease: Lease, every: float | None = 0.0) -> StoredCheckpoints:
    return StoredCheckpoints(lease, every, lambda: {"wall_seconds": 1.5})


def test_outside_a_run_nothing_is_kept() -> None:
    nothing = Checkpoints()
    nothing.save(_state(1))
    assert nothing.restore() is None
    assert not nothing.is_due()


def test_the_last_one_is_found_to_the_bit(lease: Lease) -> None:
    checkpoints = _of(lease)
    assert checkpoints.restore() is None
    assert not StoredCheckpoints.is_in(lease)
    assert StoredCheckpoints.spent_in(lease) == {}
    for step in range(3):
        checkpoints.save(_state(step))
    found = _of(lease).restore()
    assert found is not None
    assert found.tensors.keys() == {"w", "step"}
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in _state(2).tensors.items())
    assert repr(found.values) == repr(_state(2).values)
    assert StoredCheckpoints.is_in(lease)
    assert StoredCheckpoints.spent_in(lease) == {"wall_seconds": 1.5}
    assert len(list(lease.folder.glob("checkpoint*"))) == 2, "older ones are deleted"
    checkpoints.forget()
    assert _of(lease).restore() is None
    assert list(lease.folder.glob("checkpoint*")) == []


def test_every_flipped_byte_is_noticed(lease: Lease) -> None:
    _of(lease).save(_state(1))
    (file,) = lease.folder.glob("*.safetensors")
    whole, index = file.read_bytes(), (lease.folder / "checkpoint.txt").read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        (lease.folder / "checkpoint.txt").write_bytes(index)
        with pytest.warns(DamageWarning, match=r"the checkpoint is damaged \(its SHA-256 is another\)"):
            assert _of(lease).restore() is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 99, "number": 0}', "\0"])
def test_an_index_that_is_none(text: str, lease: Lease) -> None:
    _of(lease).save(_state(1))
    (lease.folder / "checkpoint.txt").write_text(text)
    with pytest.warns(DamageWarning, match=r"checkpoint.txt: the checkpoint is damaged .* the stage starts again"):
        assert _of(lease).restore() is None
    assert _of(lease).restore() is None, "and is not told of again"
    _of(lease).save(_state(2))
    assert _of(lease).restore() is not None


def test_an_index_whose_values_were_altered_is_noticed(lease: Lease) -> None:
    _of(lease).save(_state(1))
    index = (lease.folder / "checkpoint.txt").read_text()
    (lease.folder / "checkpoint.txt").write_text(index.replace('"step": 1', '"step": 7'))
    with pytest.warns(DamageWarning, match="it is not what was written"):
        assert _of(lease).restore() is None


def test_one_that_is_cut_off_leaves_the_one_before(lease: Lease) -> None:
    """As when the process is killed between the file of tensors and the index."""
    _of(lease).save(_state(1))
    index = json.loads((lease.folder / "checkpoint.txt").read_text().partition(" ")[2])
    (lease.folder / f"checkpoint-{index['number'] + 1}.safetensors").write_bytes(b"half")
    found = _of(lease).restore()
    assert found is not None
    assert found.values["step"] == 1


def test_a_full_disk_is_told_of_once_and_stops_nothing(lease: Lease) -> None:
    checkpoints = _of(lease)
    checkpoints.save(_state(1))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.warns(DamageWarning, match="no checkpoint can be written"):
            checkpoints.save(_state(2))
        checkpoints.save(_state(3))  # in silence: a warning would be an error here
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    found = _of(lease).restore()
    assert found is not None
    assert found.values["step"] == 1
    checkpoints.save(_state(4))
    assert len(list(lease.folder.glob("checkpoint*"))) == 2


def test_they_come_when_the_time_that_was_set_has_passed(lease: Lease) -> None:
    checkpoints = _of(lease, 0.2)
    assert not checkpoints.is_due()
    time.sleep(0.25)
    assert checkpoints.is_due()
    checkpoints.save(_state(1))
    assert not checkpoints.is_due()


def test_else_the_first_comes_early_and_all_take_no_more_than_a_sixtieth(lease: Lease, monkeypatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("medssl_bench.store.checkpoints.time.monotonic", lambda: clock[0])
    checkpoints = _of(lease, None)

    def is_due(at: float) -> bool:
        clock[0] = at
        return checkpoints.is_due()

    def save(at: float, seconds: float) -> None:
        times = iter([at, at + seconds])
        monkeypatch.setattr("medssl_bench.store.checkpoints.time.monotonic", lambda: next(times))
        checkpoints.save(_state(1))
        monkeypatch.setattr("medssl_bench.store.checkpoints.time.monotonic", lambda: clock[0])

    assert [is_due(at) for at in (102.9, 103.0)] == [False, True]
    save(103.0, 1.0)
    assert [is_due(at) for at in (107.0, 219.9, 220.0)] == [False, False, True], "two of one second in 120"
    save(220.0, 0.01)
    assert [is_due(at) for at in (222.9, 223.1)] == [False, True], "the next would be short, and may come"


def test_who_has_lost_the_lease_saves_nothing(lease: Lease) -> None:
    checkpoints = _of(lease)
    taken = lease.folder.rename(lease.folder.with_name("taken"))
    with pytest.raises(LeaseLost):
        checkpoints.save(_state(1))
    assert {path.name for path in taken.iterdir()} == {"beat", "files"}


def test_a_request_to_stop_is_due_at_once_and_is_answered_after_saving(lease: Lease, monkeypatch) -> None:
    checkpoints = _of(lease, 60.0)
    assert not checkpoints.is_due()
    monkeypatch.setattr("medssl_bench.stopping._request.asked", True)
    assert checkpoints.is_due()
    with pytest.raises(Stopped):
        checkpoints.save(_state(5))
    found = _of(lease).restore()
    assert found is not None
    assert found.values["step"] == 5
