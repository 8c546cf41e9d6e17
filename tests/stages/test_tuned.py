"""A run whose arms are tuned: what is recorded, at what cost, and that each result is that of the choice alone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from stages.conftest import write_waves

import medssl_bench
from medssl_bench.cli.main import cli
from medssl_bench.datasets.locations import dataset_context
from medssl_bench.plan.build import build_plan
from medssl_bench.report.page.build import page
from medssl_bench.report.study import Study
from medssl_bench.results import records
from medssl_bench.results.formats import console
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store
from medssl_bench.suite.suite import Suite

Found = dict[tuple[str, int], Record]

SUITE = """
schema = 1
name = "tuned"
floors = []
seeds = [0, 1]

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
  evaluator = { name = "linear_probe", epochs = 6, tune = { lr = [0.001, 0.1] } }

  [[comparison.arm]]
  name = "trained"
  evaluator = { name = "finetune", epochs = 2, validate_every = 1, tune = { lr = [0.001, 0.01], batch_size = [4, 12] } }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the suite once; what tests add has stages of its own."""
    made = write_waves(tmp_path_factory.mktemp("tuned"))
    (made / "suite.toml").write_text(SUITE, "utf-8")
    assert not medssl_bench.run(made / "suite.toml", store=made / "store", device="cpu").failed
    return made


@pytest.fixture(scope="module")
def tuned(folder: Path) -> dict[tuple[str, int], Record]:
    return evaluations(folder, set())


def evaluations(folder: Path, before: set[str]) -> dict[tuple[str, int], Record]:
    """Return the evaluations in the store but for some, by evaluator and seed."""
    found = [r for r in Store(folder / "store").records() if r.key not in before and r.kind == "evaluate"]
    return {(record.spec["evaluator"]["name"], record.spec["seed"]): record for record in found}


def run(folder: Path, text: str) -> dict[tuple[str, int], Record]:
    """Return the evaluations that another suite adds to the store."""
    (folder / "other.toml").write_text(text, "utf-8")
    before = {record.key for record in Store(folder / "store").records()}
    assert not medssl_bench.run(folder / "other.toml", store=folder / "store", device="cpu").failed
    return evaluations(folder, before)


def scores(folder: Path, record: Record) -> Any:
    return np.load(Store(folder / "store").folder(record.key) / "predictions.npz")["y_score"]


def untuned(values: dict[str, dict[str, Any]]) -> str:
    """Return the suite with the values that were chosen, for one seed."""
    text = SUITE.replace("seeds = [0, 1]", "seeds = [0]")
    for old, given in (("tune = { lr = [0.001, 0.1] }", values["linear_probe"]),
                       ("tune = { lr = [0.001, 0.01], batch_size = [4, 12] }", values["finetune"])):  # fmt: skip
        assert text.count(old) == 1
        text = text.replace(old, ", ".join(f"{name} = {value}" for name, value in given.items()))
    return text


def test_each_result_is_to_the_bit_that_of_its_choice_alone(folder: Path, tuned: Found) -> None:
    told = {name: tuned[name, 0].metrics["choices"]["tuning"] for name in ("linear_probe", "finetune")}
    assert [len(each["candidates"]) for each in told.values()] == [2, 4]

    alone = run(folder, untuned({name: each["values"] for name, each in told.items()}))

    for name in told:
        record = tuned[name, 0]
        assert record.key != alone[name, 0].key
        assert np.array_equal(scores(folder, record), scores(folder, alone[name, 0]))
        assert {key: value for key, value in record.metrics.items() if key != "choices"} == alone[name, 0].metrics
        assert record.files.keys() == alone[name, 0].files.keys()
    assert tuned["finetune", 0].cost["images_seen"] == 5 * alone["finetune", 0].cost["images_seen"]


def test_labels_of_test_images_cannot_change_the_choice(folder: Path, tuned: Found) -> None:
    arrays = dict(np.load(folder / "waves.npz"))
    arrays["test_labels"] = (arrays["test_labels"] + 1) % 3
    np.savez(folder / "poisoned.npz", **arrays)

    poisoned = run(folder, SUITE.replace("waves.npz", "poisoned.npz"))

    assert poisoned.keys() == tuned.keys()
    for key, record in poisoned.items():
        assert record.metrics["choices"] == tuned[key].metrics["choices"]
        assert np.array_equal(scores(folder, record), scores(folder, tuned[key]))
        assert record.metrics["auroc"] != tuned[key].metrics["auroc"]


def test_a_plan_counts_the_candidates_and_the_chosen_one(folder: Path) -> None:
    suite = Suite.load(folder / "suite.toml")
    plan = build_plan(suite, dataset_context(None))
    alone = folder / "alone.toml"
    alone.write_text(untuned({"linear_probe": {"lr": 0.1}, "finetune": {"lr": 0.01, "batch_size": 12}}), "utf-8")
    plain = build_plan(Suite.load(alone), dataset_context(None))

    def stage(of: Any, evaluator: str) -> Any:
        found = (each for each in of.stages.values() if each.kind == "evaluate")
        return next(each for each in found if each.spec.evaluator.name == evaluator)

    assert stage(plan, "finetune").images == 5 * stage(plain, "finetune").images
    probe, one = stage(plan, "linear_probe").work, stage(plain, "linear_probe").work
    assert (probe["probe step"], probe["look"], probe["stage"]) == (3 * one["probe step"], 3 * one["look"], 1)
    trained, single = stage(plan, "finetune").work, stage(plain, "finetune").work
    assert trained["finetune image:float32"] == 5 * single["finetune image:float32"]
    assert trained["finetune step:float32"] > 5 * single["finetune step:float32"], "some have smaller batches"


def test_the_choice_is_told_with_the_numbers(folder: Path, tuned: Found) -> None:
    board = medssl_bench.run(folder / "suite.toml", store=folder / "store", device="cpu").leaderboard

    drawn = io.StringIO()
    console.Console(file=drawn, width=400).print(console.render(board))
    (line,) = [line for line in drawn.getvalue().splitlines() if "Chosen for 'probe'" in line]
    assert line.startswith("Chosen for 'probe' by validation labels: at 12 labels lr = 0.")
    values = json.loads(records.to_json(board))
    of_probe = [value for cell in values if cell["arm"] == "probe" for value in cell["values"]]
    assert {json.dumps(value["tuned"]) for value in of_probe} == {
        json.dumps(tuned["linear_probe", seed].metrics["choices"]["tuning"]["values"]) for seed in (0, 1)
    }
    rows = list(csv.DictReader(io.StringIO(records.to_csv(board))))
    assert all(row["tuned"].startswith("lr = 0.") for row in rows if row["arm"] == "probe")


def test_a_model_card_and_the_report_say_what_was_chosen(
    folder: Path, tuned: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tuned["finetune", 1]
    monkeypatch.chdir(folder)

    found = CliRunner().invoke(cli, ["export", "suite.toml", "--arm", "trained", "--seed", "1", "-o", "model"])
    assert found.exit_code == 0, found.output

    card, tuning = Path("model/README.md").read_text("utf-8"), record.metrics["choices"]["tuning"]
    size, rate = tuning["values"]["batch_size"], tuning["values"]["lr"]
    assert f"batch_size = {size}, " in card.partition("* evaluator: ")[2].partition("\n")[0]
    line = card.partition("* chosen: ")[2].partition("\n")[0]
    assert line.startswith(f"batch_size = {size}, lr = {rate:g}, by accuracy on the labelled validation images, of 4 c")
    for row in tuning["candidates"]:
        values = row["values"]
        assert f"batch_size = {values['batch_size']}, lr = {values['lr']:g}: {row['accuracy']:.3f}" in line
    suite = Suite.load("suite.toml")
    plan = build_plan(suite, dataset_context(None))
    shown = page(Study.of(suite, plan, Store(Path("store"))))
    assert "tune={lr: [0.001, 0.01], batch_size: [4, 12]}" in shown
    assert "Chosen for &#39;trained&#39; by validation labels: at 12 labels batch_size = " in shown
