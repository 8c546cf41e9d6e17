"""A comparison that spies: scores are the same to the bit, and histories say what choosing on test would gain."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import medssl_bench
from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.results.formats.answer_json import answer_to_json
from medssl_bench.results.formats.grids import optimism_grids
from medssl_bench.results.leaderboard import Leaderboard
from medssl_bench.results.records import to_json
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

SUITE = """
schema = 1
name = "spied"
floors = ["majority"]
draws = [0, 1]

[dataset.waves]
name = "npz"
path = "waves.npz"

[[comparison]]
id = "table"
datasets = ["waves"]
labels = [12]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "probe"
  evaluator = { name = "linear_probe", epochs = 8, lr = 0.1, validate_every = 2 }

  [[comparison.arm]]
  name = "alone"
  evaluator = { name = "linear_probe", epochs = 4, validate_every = 1, optimizer = { name = "sgd", lr = 0.1 } }

  [[comparison.arm]]
  name = "choosing"
  evaluator = { name = "linear_probe", epochs = 4, validate_every = 1, tune = { lr = [0.1, 0.01] } }

  [[comparison.arm]]
  name = "neighbours"
  evaluator = "knn"

  [[comparison.arm]]
  name = "tuned"
  evaluator = { name = "finetune", epochs = 3, lr = 0.01, validate_every = 1, probe = "linear_probe" }
"""
SPYING = SUITE.replace('id = "table"', 'id = "table"\nspy = true')


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Leaderboard]]:
    """Run the suite without and with spying into one store."""
    from stages.conftest import write_waves

    folder = write_waves(tmp_path_factory.mktemp("spied"))
    boards = []
    for text in (SUITE, SPYING):
        (folder / "suite.toml").write_text(text, "utf-8")
        assert not medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu").failed
        suite, context = Suite.load(folder / "suite.toml"), DatasetContext(folder / "data", folder / "cache")
        boards.append(Leaderboard.of(suite, build_plan(suite, context), Store(folder / "store")))
    return folder, boards


def _stages(board: Leaderboard) -> dict[tuple[str, int], str]:
    cells = board.tables[0].panel("waves", "accuracy").cells
    return {(arm, chance.draw): stage for (arm, _), cell in cells.items() for chance, stage in cell.stages.items()}


def test_scores_are_the_same_to_the_bit(ran) -> None:
    folder, (plain, spying) = ran
    store = Store(folder / "store")
    before, after = _stages(plain), _stages(spying)
    assert before.keys() == after.keys()
    for (arm, draw), stage in before.items():
        other = after[arm, draw]
        assert (stage == other) == (arm in {"majority class", "neighbours"}), (
            "an evaluator without epochs is not spied on"
        )
        for name in store.record(stage).files.keys() - {"history.json"}:
            assert (store.folder(stage) / name).read_bytes() == (store.folder(other) / name).read_bytes()
        assert store.record(stage).metrics == store.record(other).metrics


def test_the_history_has_the_same_rows_and_the_test_beside(ran) -> None:
    folder, (plain, spying) = ran
    store = Store(folder / "store")
    for place in (("probe", 0), ("alone", 1), ("choosing", 0), ("tuned", 1)):
        rows, spied = (
            json.loads((store.folder(_stages(board)[place]) / "history.json").read_text()) for board in (plain, spying)
        )
        assert [{name: row[name] for name in row if not name.startswith("test_")} for row in spied] == rows
        record = store.record(_stages(spying)[place])
        (row,) = [row for row in spied if row["epoch"] == record.metrics["selected_epoch"]]
        for name in ("accuracy", "auroc", "balanced_accuracy"):
            assert row[f"test_{name}"] == pytest.approx(record.metrics[name], abs=1e-6)
        assert spied[-1]["test_accuracy"] == pytest.approx(record.metrics["last_epoch"]["accuracy"], abs=1e-6)


def test_the_optimism_is_best_minus_chosen_paired_by_training(ran) -> None:
    folder, (plain, spying) = ran
    store = Store(folder / "store")
    assert plain.tables[0].optimism == []
    assert {each.arm for each in spying.tables[0].optimism} == {"probe", "alone", "choosing", "tuned"}
    (found,) = [each for each in spying.tables[0].optimism if (each.arm, each.metric) == ("probe", "accuracy")]
    gains = []
    for draw in (0, 1):
        stage = _stages(spying)["probe", draw]
        rows = json.loads((store.folder(stage) / "history.json").read_text())
        gains.append(max(row["test_accuracy"] for row in rows) - store.record(stage).metrics["accuracy"])
    assert found.best - found.chosen == pytest.approx(np.mean(gains), abs=1e-6)
    assert found.gain is not None
    assert found.gain.variance == pytest.approx(np.var(gains, ddof=1) / 2)
    told = json.loads(answer_to_json(spying))["optimism"]
    assert told[0]["comparison"] == "table"
    assert all(each["best"] >= each["chosen"] and each["optimism"] >= 0 for each in told)
    assert json.loads(answer_to_json(plain))["optimism"] == []
    (grid,) = optimism_grids(spying.tables[0])
    assert [column.name for column in grid.columns] == ["last epoch", "epoch that counts", "best on test", "optimism"]
    assert len(grid.notes) == 1
    assert found.epochs == 4
    once = replace(spying.tables[0], optimism=[replace(found, epochs=1)])
    assert "One epoch was looked at for 'probe'" in optimism_grids(once)[0].notes[1]
    assert optimism_grids(plain.tables[0]) == []


def test_no_cell_and_no_ranking_has_it(ran) -> None:
    _, boards = ran
    cells, rankings = (
        [to_json(board) for board in boards],
        [[r.to_data() for r in board.rankings] for board in boards],
    )
    assert cells[0] == cells[1]
    assert rankings[0] == rankings[1]
