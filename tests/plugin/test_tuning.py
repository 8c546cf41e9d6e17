"""``tune``: what a suite may write there, what is wrong with what it may not, and what it is as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from medssl_bench.errors import PluginError
from medssl_bench.plugin.component import Component, components_in
from medssl_bench.plugin.entry import Entry, Plugin
from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.parameters import ParameterProblem

REGISTRY = load_plugins().registry


def resolved(**table: Any) -> Component:
    return REGISTRY.resolve("evaluator", {"name": "finetune", **table}, Path())


def test_every_combination_is_a_candidate_in_one_order_for_all_ways_to_write_them() -> None:
    tune = {"lr": [0.1, 0.01], "epochs": [3, 5, 9]}
    component = resolved(weight_decay=0.5, tune=tune)

    found = component.candidates()

    assert [values for values, _ in found] == [{"epochs": e, "lr": r} for e in (3, 5, 9) for r in (0.1, 0.01)]
    other = resolved(weight_decay=0.5, tune=dict(reversed(tune.items())))
    assert other.candidates() == found
    for values, candidate in found:
        alone = resolved(weight_decay=0.5, **values)
        assert candidate.parameters == alone.parameters
        assert candidate.identity() == alone.identity()


def test_components_can_be_tuned_and_keep_their_parameters() -> None:
    component = resolved(tune={"schedule": ["cosine", {"name": "constant", "warmup": 3}], "layer_decay": [0.5, 1.0]})

    schedules = {values["schedule"].name: values["schedule"] for values, _ in component.candidates()}
    assert schedules["constant"].parameters["warmup"] == 3
    assert {each.name for each in components_in(component.to_data())} == {"cosine", "constant", "finetune"}
    evaluator = REGISTRY.build(component)
    assert evaluator.settings[0]["schedule"] == {"name": "cosine", "minimum": 1e-5, "period": None, "warmup": 0}
    json.dumps(evaluator.settings)
    assert [each.layer_decay for each in evaluator.candidates] == [0.5, 0.5, 1.0, 1.0]


def test_it_is_the_same_after_a_way_through_data() -> None:
    component = resolved(tune={"optimizer": ["adam", "sgd"], "lr": [0.1, 1]})

    data = json.loads(json.dumps(component.to_data()))

    assert Component.from_data(data) == component
    assert "tune" not in resolved().to_data(), "records of what has none stay as they were"


def test_the_key_has_the_values_and_else_nothing_of_them() -> None:
    plain, tuned = resolved().identity(), resolved(tune={"lr": [0.1, 0.2]}).identity()

    assert "tune" not in plain["parameters"]
    assert tuned["parameters"].pop("tune") == {"lr": [0.1, 0.2]}
    assert "lr" not in tuned["parameters"]
    del plain["parameters"]["lr"]
    assert tuned == plain
    assert resolved(tune={"lr": [0.2, 0.1]}).identity() != resolved(tune={"lr": [0.1, 0.2]}).identity()


@pytest.mark.parametrize(
    ("table", "path", "message"),
    [
        ({"tune": [0.1]}, ("tune",), r"expected lists of values by parameter, as in \{ lr = \[0.001, 0.01\] \}, not"),
        ({"tune": {}}, ("tune",), "expected lists of values by parameter"),
        ({"tune": {"rate": [1, 2]}}, ("tune", "rate"), "unknown parameter; it takes epochs, lr,"),
        ({"tune": {"epoch": [1, 2]}}, ("tune", "epoch"), r"unknown parameter \(did you mean 'epochs'\?\)"),
        ({"tune": {"lr": 0.1}}, ("tune", "lr"), "expected a list of values to try, not 0.1"),
        ({"tune": {"lr": []}}, ("tune", "lr"), "expected a list of values to try"),
        ({"tune": {"lr": [0.1]}}, ("tune",), r"1 candidate\(s\); give from 2 to 200"),
        ({"tune": {"lr": [i + 0.5 for i in range(201)]}}, ("tune",), "201 candidate"),
        ({"tune": {"lr": [0.1, 0.1]}}, ("tune", "lr", 1), "0.1 is there already"),
        ({"tune": {"lr": [0.1, -1.0]}}, ("tune", "lr", 1), "evaluator 'finetune': input should be greater than 0"),
        ({"tune": {"lr": [0.1, "x"]}}, ("tune", "lr", 1), "evaluator 'finetune': "),
        ({"tune": {"schedule": ["cosine", "cosin"]}}, ("tune", "schedule", 1), r"did you mean 'cosine'\?"),
        ({"tune": {"schedule": [None, {"name": "cosine", "warmup": -1}]}}, ("tune", "schedule", 1, "warmup"), "equal"),
        ({"lr": 0.1, "tune": {"lr": [0.1, 0.2]}}, ("tune", "lr"), "lr has a value already: leave it out there, or"),
        ({"epochs": 0, "tune": {"lr": [0.1, 0.2]}}, ("epochs",), "greater than or equal to 1"),
        ({"tune": {"precision": ["float32", "bfloat16"]}}, ("tune", "precision"), "it is the arithmetic of the train"),
        ({"tune": {"lora_alpha": [1.0, 2.0]}}, ("tune",), r"need lora.*\(with lora_alpha = 1.0\)"),
    ],
)  # fmt: skip
def test_what_cannot_be_tuned_is_refused_where_it_stands(table: Any, path: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ParameterProblem, match=message) as caught:
        resolved(**table)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("name", "tune", "why"),
    [
        ("silhouette", {"points": [50, 60]}, "it predicts nothing"),
        ("finetune", {"lora": [None, 2]}, ""),
    ],
)
def test_an_evaluator_of_which_nothing_can_be_chosen_is_refused(name: str, tune: Any, why: str) -> None:
    component = REGISTRY.resolve("evaluator", {"name": name, "tune": tune}, Path())

    if why:
        with pytest.raises(ValueError, match=why):
            REGISTRY.build(component)
    else:
        assert [each.lora for each in REGISTRY.build(component).candidates] == [None, 2]


def test_a_parameter_of_that_name_is_refused() -> None:
    def own(*, tune: int = 1) -> None: ...

    entry = Entry(KINDS["evaluator"], "own", Plugin("mine", "inline"), own)
    with pytest.raises(PluginError, match="a parameter of evaluator cannot be called 'tune'"):
        _ = entry.table
    assert Entry(KINDS["metric"], "own", Plugin("mine", "inline"), own).table.defaults == {"tune": 1}
