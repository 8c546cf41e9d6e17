"""What pretrainings gain and cost, from results that were written by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from results.conftest import Lab
from rich.console import Console

from medssl_bench.plan.stage import Stage, Trial
from medssl_bench.results.formats import console, latex, markdown
from medssl_bench.results.formats.answer_json import answer_to_json
from medssl_bench.results.formats.prices import price_grids, price_notes
from medssl_bench.results.price import Price, PricedArm, machines_of, pareto
from medssl_bench.store.record import Record

PRICED = """\
schema = 1
name = "priced"
seeds = [0, 1]
draws = [0, 1]

[pretraining.cheap]
augmentation = "simclr"
epochs = 1

[pretraining.good]
extends = "cheap"
epochs = 2

[pretraining.dear]
extends = "cheap"
epochs = 3

[[comparison]]
id = "main"
title = "Worth it?"
datasets = ["bloodmnist", "pathmnist"]
labels = [100, 250]
baseline = "supervised"

  [[comparison.arm]]
  name = "supervised"
  evaluator = "finetune"

  [[comparison.arm]]
  name = "dear"
  pretraining = ["dear"]
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "cheap"
  pretraining = ["cheap"]
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "good"
  pretraining = ["good"]
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "chain"
  pretraining = [{ recipe = "good", on = "bloodmnist" }, "cheap"]
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "cheap, unfrozen"
  pretraining = ["cheap"]
  evaluator = "finetune"
"""
"""On bloodmnist both stages of the chain are there, on pathmnist too; the unfrozen arm is over another one."""

LEVELS = {"untrained encoder": 0.3, "dear": 0.65, "cheap": 0.5, "good": 0.7, "chain": 0.2}
SECONDS = {1: 10.0, 2: 40.0, 3: 60.0}
"""By epochs of the pretraining."""


def _accuracy(trial: Trial) -> float:
    """Return a number that the draw and the seed shift alike for all arms, and the data set for one arm alone."""
    level = LEVELS.get(trial.arm, 0.4) + 0.01 * trial.seed + 0.02 * trial.draw
    return level + (0.1 if (trial.arm, trial.dataset) == ("good", "pathmnist") else 0)


def _pretrainings(lab: Lab) -> list[Stage]:
    return [stage for stage in lab.plan.stages.values() if stage.kind == "pretrain"]


def _fill(lab: Lab, **measured: str) -> None:
    lab.fill(_accuracy)
    for stage in _pretrainings(lab):
        lab.finish_pretraining(stage, SECONDS[stage.spec.duration["epochs"]] + stage.spec.seed, **measured)


def _first(lab: Lab) -> Price:
    return next(price for price in lab.board.prices if price.metric == "accuracy")


@pytest.fixture
def priced(lab_of: Callable[..., Lab]) -> Lab:
    lab = lab_of(PRICED)
    _fill(lab)
    return lab


def test_gains_and_seconds_by_hand(priced: Lab) -> None:
    """Each pretraining takes half a second more in the mean over two seeds; that of the chain is two of them."""
    price = _first(priced)
    assert (price.labels, price.over, price.datasets) == ("100", "untrained encoder", ("bloodmnist", "pathmnist"))
    found = {point.arm: (point.seconds, point.gain, point.is_worth_it) for point in price.arms}
    assert found == {
        "cheap": (pytest.approx(10.5), pytest.approx(0.2), True),
        "good": (pytest.approx(40.5), pytest.approx(0.45), True),
        "chain": (pytest.approx(51), pytest.approx(-0.1), False),
        "dear": (pytest.approx(60.5), pytest.approx(0.35), False),
    }
    assert list(found) == ["cheap", "good", "chain", "dear"], "by cost"
    by_set = {name: deal.gain for name, deal in price.arms[1].deals.items()}
    assert by_set == {"bloodmnist": pytest.approx(0.4), "pathmnist": pytest.approx(0.5)}
    assert (price.devices, price.machines, price.missing) == (("cpu: x",), 1, ())


def test_a_price_for_each_metric_and_label_budget(priced: Lab) -> None:
    prices = [(price.metric, price.labels, price.over) for price in priced.board.prices]
    over = "untrained encoder"
    assert prices == [
        ("accuracy", "100", over),
        ("accuracy", "250", over),
        ("auroc", "100", over),
        ("auroc", "250", over),
    ]


def test_fine_tuning_is_compared_with_fine_tuning(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(PRICED.replace('"linear_probe"', '"finetune"'))
    _fill(lab)
    assert {price.over for price in lab.board.prices} == {"supervised"}
    assert {point.arm for point in lab.board.prices[0].arms} == {"dear", "cheap", "good", "chain", "cheap, unfrozen"}


def test_fewer_than_three_arms_have_no_price(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(PRICED.replace('pretraining = ["dear"]\n', "").replace('pretraining = ["good"]\n', ""))
    _fill(lab)
    assert lab.board.prices == []
    assert price_grids(lab.board) == []


def test_without_an_arm_to_compare_with_there_is_no_price(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(PRICED.replace('baseline = "supervised"', 'floors = ["majority"]'))
    _fill(lab)
    assert lab.board.prices == []


def test_controls_have_no_price(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(PRICED.replace('baseline = "supervised"', "shuffle_labels = true"))
    _fill(lab)
    assert lab.board.prices == []


def test_only_data_sets_count_on_which_every_arm_has_all_its_numbers(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(PRICED)
    for trial in lab.plan.trials:
        if (trial.arm, trial.dataset, trial.draw) != ("good", "pathmnist", 1):
            lab.finish(trial, accuracy=_accuracy(trial), auroc=0.5)
    for stage in _pretrainings(lab):
        lab.finish_pretraining(stage, SECONDS[stage.spec.duration["epochs"]])
    price = _first(lab)
    assert price.datasets == ("bloodmnist",)
    assert [list(point.deals) for point in price.arms] == [["bloodmnist"]] * 4
    assert "one data set (bloodmnist)" in price_grids(lab.board)[0].notes[0]


def test_an_arm_whose_cost_was_not_measured_is_missing_and_named(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(PRICED)
    lab.fill(_accuracy)
    for stage in _pretrainings(lab):
        epochs = stage.spec.duration["epochs"]
        lab.finish_pretraining(stage, None if epochs == 3 else SECONDS[epochs])
    price = _first(lab)
    assert [point.arm for point in price.arms] == ["cheap", "good", "chain"]
    assert price.missing == ("dear",)
    _, told, _ = price_grids(lab.board)[0].notes
    assert told == "“dear” is missing (100, 250 labels): not all its numbers or costs are there."


def test_several_machines_and_graphics_cards_are_told(lab_of: Callable[..., Lab]) -> None:
    lab = lab_of(PRICED)
    lab.fill(_accuracy)
    for number, stage in enumerate(_pretrainings(lab)):
        device = "cuda: y" if number == 0 else "cpu: x"
        lab.finish_pretraining(stage, SECONDS[stage.spec.duration["epochs"]], f"host {number % 2}", device)
    price = _first(lab)
    assert (price.devices, price.machines) == (("cpu: x", "cuda: y"), 2)
    notes = price_grids(lab.board)[0].notes
    assert "Costs were measured on 2 machines (cpu: x; cuda: y), so they compare only roughly." in notes
    assert "Processor time leaves out what a graphics card did." in notes


def test_machines_that_an_export_does_not_name_count_by_their_devices(priced: Lab) -> None:
    records = [Record("", "pretrain", "", "done", {}, provenance={"host": None, "device": name}) for name in "xxy"]
    assert machines_of(records) == 2
    assert machines_of([replace(record, provenance={}) for record in records]) == 1
    two = replace(_first(priced), devices=("cpu: x", "cuda: y"))
    assert "Costs were measured on 2 devices (cpu: x; cuda: y), so they compare only roughly." in price_notes([two])


def test_every_form_shows_the_price(priced: Lab) -> None:
    (grid,) = price_grids(priced.board)
    assert grid.title.startswith("Price by accuracy: “Worth it?”, gain over “untrained encoder” — ")
    assert [(row.heads, *(cell.number for cell in row.cells)) for row in grid.rows] == [
        (("cheap",), "10", "+0.200 *", "10", "+0.200 *"),
        (("good",), "40", "+0.450 *", "40", "+0.450 *"),
        (("chain",), "51", "−0.100", "51", "−0.100"),
        (("dear",), "60", "+0.350", "60", "+0.350"),
    ]
    shown = Console(width=120, record=True, file=io.StringIO())
    shown.print(console.render(priced.board))
    assert "Price by accuracy" in shown.export_text()
    assert "| good | 40 | +0.450 * | 40 | +0.450 * |" in markdown.to_markdown(priced.board)
    assert "Price by accuracy" in latex.to_latex(priced.board)


def test_the_answer_as_json(priced: Lab) -> None:
    found = json.loads(answer_to_json(priced.board))
    assert found.keys() == {"answers", "rankings", "prices", "label_efficiency", "optimism", "robustness", "transfers"}
    (ranking,) = found["rankings"]
    assert ranking["columns"] == 4
    assert ranking["ranks"][0]["worst_rank"] == 1
    assert ranking["safe_choice"] == ["good"]
    first = found["prices"][0]["arms"][0]
    assert (first["arm"], first["pareto"]) == ("cheap", True)
    assert first["datasets"]["bloodmnist"] == {"processor_seconds": 10.5, "gain": pytest.approx(0.2)}


_POINT = st.tuples(st.integers(1, 6).map(float), st.integers(-2, 4).map(float))


@given(st.lists(_POINT, max_size=12))
@settings(deadline=None)
def test_the_pareto_line_rises_and_no_point_is_above_it(points: list[tuple[float, float]]) -> None:
    """By another way: sweep the points by cost, and take what is better than all before."""
    best, swept = 0.0, set()
    for cost in sorted({cost for cost, _ in points}):
        highest = max(gain for c, gain in points if c == cost)
        if highest > best:
            swept.add((cost, highest))
            best = highest
    assert {point for point, flag in zip(points, pareto(points), strict=True) if flag} == swept


def test_an_arm_without_gain_is_not_worth_it() -> None:
    assert pareto([(1.0, -0.1), (2.0, 0.0)]) == [False, False]
    assert PricedArm("a", {}).is_worth_it is False
