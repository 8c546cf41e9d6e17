"""One stage under its lease: done once, failed for good, given up in time; and what its record says of its cost."""

from __future__ import annotations

import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from plan.made_up import embedding
from torch import nn

from medssl_bench.checkpoints import TrainingState
from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import DamageWarning
from medssl_bench.evaluators.base import Evaluation
from medssl_bench.plan.stage import Stage
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.watching import Outcome
from medssl_bench.stages import run as module
from medssl_bench.stages.attempt import Attempt, Meter
from medssl_bench.stages.run import run_stage
from medssl_bench.stages.workshop import StageResult, Workshop
from medssl_bench.stopping import Stopped
from medssl_bench.store.store import Store

KEY = "ab" + "0" * 62
STAGE = Stage(KEY, "title", {}, embedding(Component("dataset", "phantom_cells", plugin="datasets")))


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    store = Store(tmp_path / "store")
    store.prepare()
    context = DatasetContext(tmp_path, tmp_path)
    return Workshop(load_plugins().registry, store, context, torch.device("cpu"), checkpoint_seconds=0.0)


@pytest.fixture
def doing(monkeypatch) -> Any:
    """Let stages do something else."""

    def let(act: Any) -> None:
        monkeypatch.setattr("medssl_bench.stages.embed.embed", lambda _stage, _workshop, attempt: act(attempt))

    return let


def _run(workshop: Workshop) -> Outcome | None:
    return run_stage(STAGE, workshop, lambda *_: None)


def _writes(attempt: Attempt) -> StageResult:
    (attempt.folder / "weights").write_text("abc")
    return StageResult(metrics={"loss": 0.5, "rows": [1]}, headline={"loss": 0.5})


def test_a_stage_is_done_once(workshop: Workshop, doing: Any) -> None:
    doing(_writes)
    first = _run(workshop)
    assert first is not None
    assert (first.status, first.metrics, first.elsewhere) == ("done", {"loss": 0.5}, False)
    doing(lambda _: pytest.fail("it is done"))
    second = _run(workshop)
    assert second is not None
    assert (second.status, second.metrics, second.elsewhere) == ("done", {"loss": 0.5}, True)
    assert list((workshop.store.path / "work").iterdir()) == []


def test_what_another_one_works_on_is_left_alone(workshop: Workshop, doing: Any) -> None:
    doing(_writes)
    lease = workshop.store.leases.acquire(KEY)
    assert lease is not None
    assert _run(workshop) is None
    lease.release(keep=False)
    assert _run(workshop) is not None


def test_a_failure_stays_until_it_is_forgotten(workshop: Workshop, doing: Any) -> None:
    def fails(_: Attempt) -> StageResult:
        raise ZeroDivisionError("by nothing")

    doing(fails)
    for elsewhere in (False, True):
        outcome = _run(workshop)
        assert outcome is not None
        assert (outcome.status, outcome.reason) == ("failed", "ZeroDivisionError: by nothing")
        assert outcome.elsewhere is elsewhere
    workshop.store.forget_failure(KEY)
    doing(_writes)
    outcome = _run(workshop)
    assert outcome is not None
    assert outcome.status == "done"


def _saves(attempt: Attempt) -> None:
    attempt.checkpoints.save(TrainingState({"w": torch.ones(2)}, {"step": 3}))


@pytest.mark.parametrize("error", [Stopped, KeyboardInterrupt, RuntimeError])
def test_a_checkpoint_is_kept_for_the_next_attempt_and_its_cost_too(
    error: type[BaseException], workshop: Workshop, doing: Any
) -> None:
    def stops(attempt: Attempt) -> StageResult:
        time.sleep(0.3)
        _saves(attempt)
        raise error

    doing(stops)
    if issubclass(error, KeyboardInterrupt):
        with pytest.raises(error):
            _run(workshop)
    else:
        assert _run(workshop) is not None
        workshop.store.forget_failure(KEY)
    assert workshop.store.leases.owner(KEY) == "free"

    def goes_on(attempt: Attempt) -> StageResult:
        state = attempt.checkpoints.restore()
        assert state is not None
        assert state.values == {"step": 3}
        return _writes(attempt)

    doing(goes_on)
    outcome = _run(workshop)
    assert outcome is not None
    assert outcome.status == "done", outcome.reason
    record = workshop.store.record(KEY)
    assert record is not None
    assert record.cost["resumed"] == 1
    assert record.cost["wall_seconds"] > 0.3, "what led to the checkpoint counts too"
    assert record.files.keys() == {"weights"}
    assert list((workshop.store.path / "work").iterdir()) == []


@pytest.mark.parametrize("name", ["checkpoint.txt", "checkpoint-0.safetensors"])
def test_what_led_to_a_damaged_checkpoint_is_no_part_of_the_result(name: str, workshop: Workshop, doing: Any) -> None:
    def stops(attempt: Attempt) -> StageResult:
        time.sleep(0.3)
        _saves(attempt)
        raise Stopped

    doing(stops)
    with pytest.raises(Stopped):
        _run(workshop)
    file = workshop.store.path / "work" / KEY / "free" / name
    file.write_bytes(file.read_bytes()[:-2])

    def begins_anew(attempt: Attempt) -> StageResult:
        assert attempt.checkpoints.restore() is None
        return _writes(attempt)

    doing(begins_anew)
    with pytest.warns(DamageWarning, match=f"{name}: the checkpoint is damaged .* the stage starts again"):
        assert _run(workshop) is not None
    record = workshop.store.record(KEY)
    assert record is not None
    assert record.cost["resumed"] == 0
    assert record.cost["wall_seconds"] < 0.3
    assert record.provenance["earlier"] == []


def test_without_a_checkpoint_nothing_is_kept(workshop: Workshop, doing: Any) -> None:
    def stops(_: Attempt) -> StageResult:
        raise Stopped

    doing(stops)
    with pytest.raises(Stopped):
        _run(workshop)
    assert list((workshop.store.path / "work").iterdir()) == []


def test_workers_do_not_die_of_a_stage_for_ever(workshop: Workshop, doing: Any) -> None:
    doing(_writes)
    lease = workshop.store.leases.acquire(KEY)
    assert lease is not None
    (lease.folder / "deaths").write_text("19")
    lease._ended.set()
    dead = lease.folder.with_name("somewhere-0123456789ab-1-5-0.1-0123456789ab")
    lease.folder.rename(dead)
    while (outcome := _run(workshop)) is None:  # until the silence has been long enough
        pass
    assert outcome.status == "failed"
    assert "20 workers in a row died of it, or were killed, before they got any further" in outcome.reason
    workshop.store.forget_failure(KEY)
    again = _run(workshop)
    assert again is not None
    assert again.status == "done", "a new try is a new count"


def _no_memory() -> None:
    torch.empty(2**60, dtype=torch.uint8)


def _python_neither() -> None:
    raise MemoryError


@pytest.mark.parametrize("act", [_no_memory, _python_neither])
def test_too_little_memory_is_called_that(workshop: Workshop, doing: Any, act: Any) -> None:
    def fails(_: Attempt) -> StageResult:
        act()
        return StageResult()

    doing(fails)
    outcome = _run(workshop)
    assert outcome is not None
    assert outcome.reason.startswith(
        "out of memory; set a smaller batch_size or view size in the suite, if that may be ("
    )


def test_what_did_not_fit_is_gone_when_memory_is_freed(workshop: Workshop, doing: Any, monkeypatch) -> None:
    held: list[weakref.ref[nn.Module]] = []

    def fails(_: Attempt) -> StageResult:
        model = nn.Linear(1, 1)
        held.append(weakref.ref(model))
        raise MemoryError

    forgotten = []
    monkeypatch.setattr(workshop, "forget", lambda: forgotten.append(held[0]()))
    doing(fails)
    _run(workshop)
    assert forgotten == [None]


def test_what_was_found_of_siblings_is_forgotten_too(workshop: Workshop) -> None:
    workshop.siblings._found["key"] = Evaluation(np.zeros((1, 2), np.float32)), {}
    workshop.forget()
    assert workshop.siblings._found == {}


def test_too_little_memory_beside_others_is_not_recorded(workshop: Workshop, doing: Any) -> None:
    """A stop before it has been done again alone must not leave it failed."""
    workshop.beside_others = True
    doing(lambda _: _python_neither())
    outcome = _run(workshop)
    assert outcome is not None
    assert outcome.status == "failed"
    assert outcome.reason.startswith("out of memory")
    assert workshop.store.failure(KEY) is None


def test_on_another_machine_or_torch_the_same_bits_are_not_promised(
    workshop: Workshop, doing: Any, monkeypatch
) -> None:
    def stops(attempt: Attempt) -> StageResult:
        _saves(attempt)
        raise Stopped

    doing(stops)
    monkeypatch.setattr(module, "circumstances", lambda _: {"torch": "1.0", "device": "abacus", "threads": 8})
    with pytest.raises(Stopped):
        _run(workshop)
    monkeypatch.undo()
    doing(_writes)
    assert _run(workshop) is not None
    record = workshop.store.record(KEY)
    assert record is not None
    assert record.provenance["earlier"] == [{"torch": "1.0", "device": "abacus", "threads": 8}]
    assert record.provenance["deterministic"] is False


def test_who_loses_its_stage_says_nothing_of_it(workshop: Workshop, doing: Any) -> None:
    def is_taken_over(attempt: Attempt) -> StageResult:
        attempt.folder.parent.rename(attempt.folder.parent.with_name("free"))
        return _writes(attempt)

    doing(is_taken_over)
    assert _run(workshop) is None
    assert not workshop.store.is_done(KEY)
    assert workshop.store.failure(KEY) is None
    assert workshop.store.leases.owner(KEY) == "free"


def test_costs_add_up() -> None:
    before = {"wall_seconds": 100.0, "processor_seconds": 150.0, "energy_joules": None, "resumed": 2}
    spent = Meter(before).spent()
    assert 100 <= spent["wall_seconds"] < 101
    assert 150 <= spent["processor_seconds"] < 151
    assert spent["energy_joules"] is None, "a part of it is not known"
    assert spent["resumed"] == 3
    assert Meter({}).spent()["resumed"] == 0


def test_a_stage_whose_folder_cannot_be_made_has_failed_without_a_record(workshop: Workshop, doing: Any) -> None:
    doing(_writes)
    (workshop.store.path / "work").rmdir()
    (workshop.store.path / "work").write_text("in the way")
    outcome = run_stage(replace(STAGE), workshop, lambda *_: None)
    assert outcome is not None
    assert outcome.status == "failed"
    assert outcome.reason.startswith("the store cannot be written: ")
    assert workshop.store.failure(KEY) is None
