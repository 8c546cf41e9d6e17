"""Probes of one encoder are trained together, and each remains a stage of its own."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

import medssl_bench
from medssl_bench.errors import StageError
from medssl_bench.evaluators.linear_probe import LinearProbe
from medssl_bench.store.store import Store

SUITE = """
schema = 1
name = "together"
floors = []
seeds = [0, 1]
draws = [0, 1]

[dataset.waves]
name = "npz"
path = "waves.npz"

[[comparison]]
id = "table"
datasets = ["waves"]
labels = [6, 20]

  [[comparison.arm]]
  name = "probe"
  encoder = { name = "timm", model = "test_resnet" }
  evaluator = { name = "linear_probe", epochs = 4 }
"""


@pytest.fixture
def folder(waves: Path) -> Path:
    (waves / "suite.toml").write_text(SUITE, "utf-8")
    return waves


def run(folder: Path, store: str) -> Store:
    result = medssl_bench.run(folder / "suite.toml", store=folder / store, device="cpu")
    assert not result.failed
    return Store(folder / store)


def evaluated(store: Store) -> dict[str, dict[str, str]]:
    return {
        record.key: {name: file["sha256"] for name, file in record.files.items()}
        for record in store.records()
        if record.kind == "evaluate" and record.status == "done"
    }


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many trials each call of the probe has had."""
    found: list[int] = []
    together = LinearProbe.evaluate_together

    def watched(self, trials):
        found.append(len(trials))
        return together(self, trials)

    monkeypatch.setattr(LinearProbe, "evaluate_together", watched)
    return found


def test_all_of_an_encoder_in_one_call_and_the_same_bits_as_alone(folder, calls, monkeypatch):
    together = evaluated(run(folder, "together"))
    assert calls == [4, 4], "two encoders, by seed, of two budgets and two draws"

    monkeypatch.setattr("medssl_bench.stages.packed_probes._MOST", 1)
    assert evaluated(run(folder, "alone")) == together
    assert len(together) == 8


def test_the_costs_are_shared_and_add_up(folder):
    costs = [record.cost["wall_seconds"] for record in run(folder, "store").records() if record.kind == "evaluate"]

    assert min(costs) > 0
    assert max(costs) < 20 * min(costs), "none bears what the others have cost"


def test_time_that_is_waited_is_no_time_of_the_processor(folder, monkeypatch):
    """As on a GPU, or where others want the processor too."""
    together = LinearProbe.evaluate_together

    def waits(self, trials):
        time.sleep(1.0)
        return together(self, trials)

    monkeypatch.setattr(LinearProbe, "evaluate_together", waits)
    costs = [record.cost for record in run(folder, "store").records() if record.kind == "evaluate"]

    assert all(0 < cost["processor_seconds"] < cost["wall_seconds"] for cost in costs)
    assert sum(cost["wall_seconds"] - cost["processor_seconds"] for cost in costs) > 1.9, "two encoders"


def test_what_is_done_already_is_not_done_again(folder, calls):
    run(folder, "store")
    store = Store(folder / "store")
    record = next(record for record in store.records() if record.kind == "evaluate")
    shutil.rmtree(store.folder(record.key))
    calls.clear()

    run(folder, "store")

    assert calls == [1]


def test_what_another_process_may_be_judging_is_waited_for(folder, calls):
    store = run(folder, "store")
    records = [record for record in store.records() if record.kind == "evaluate" and record.identity["seed"] == 0]
    for record in records:
        shutil.rmtree(store.folder(record.key))
    calls.clear()
    lease = store.leases.acquire(records[0].key)
    assert lease is not None
    threading.Timer(1.0, lambda: lease.release(keep=False)).start()

    run(folder, "store")

    assert calls == [4], "no probe is trained whose siblings belong to another worker"


def test_one_that_cannot_be_judged_fails_alone(folder, monkeypatch):
    """The others are judged, one by one."""
    together = LinearProbe.evaluate_together

    def refuses(self, trials):
        if any(len(trial.train) == 6 and trial.seed == 0 for trial in trials):
            raise StageError("refused: too few")
        return together(self, trials)

    monkeypatch.setattr(LinearProbe, "evaluate_together", refuses)
    result = medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu")

    assert [outcome.reason for outcome in result.failed] == ["refused: too few"] * 2
    assert len(evaluated(Store(folder / "store"))) == 6
