"""What a stage is told is typed, and goes to records and workers and back as it was."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.datasets import DatasetContext
from medssl_bench.datasets.budget import Budget
from medssl_bench.errors import StageError, UserError
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.kinds import kinds, spec_of
from medssl_bench.plan.kinds.evaluate import EvaluateSpec
from medssl_bench.plan.kinds.pretrain import PretrainSpec
from medssl_bench.plan.stage import Stage
from medssl_bench.plan.stage_data import stage_from_data, stage_to_data
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.suite import Suite

SUITES = sorted((Path(__file__).parents[2] / "suites").glob("*.toml"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.stem)
def test_every_stage_is_the_same_after_a_journey_as_text(suite: Path, tmp_path: Path) -> None:
    plan = build_plan(Suite.load(suite, load_plugins()), DatasetContext(tmp_path / "data", tmp_path / "cache"))
    for stage in plan.stages.values():
        assert stage_from_data(json.loads(json.dumps(stage_to_data(stage)))) == stage


def _specs(tmp_path: Path) -> dict[str, dict[str, object]]:
    """Return what stages of each kind are told: those of the quickstart, whose classifiers predict other images too."""
    text = next(suite for suite in SUITES if suite.stem == "quickstart").read_text("utf-8")
    others = '[dataset.others]\nname = "phantom_cells"\ntrain = 300\n\n[dataset.cells]'
    again = 'corrupted = { ops = ["gaussian_noise"] }\ntest_on = "others"\nbaseline = "supervised"'
    suite = tmp_path / "suite.toml"
    suite.write_text(text.replace("[dataset.cells]", others).replace('baseline = "supervised"', again), "utf-8")
    plan = build_plan(Suite.load(suite, load_plugins()), DatasetContext(tmp_path / "data", tmp_path / "cache"))
    return {stage.kind: stage.spec.to_data() for stage in plan.stages.values()}


def test_records_of_older_versions_are_read(tmp_path: Path) -> None:
    """Version 0.1.0 had no component for an optimizer, and `short` beside the labels; it kept more, and less."""
    now = _specs(tmp_path)
    old = {
        **now["pretrain"],
        "optimizer": {"name": "adamw", "lr": 0.01, "weight_decay": 0.1},
        "schedule": {"name": "cosine", "minimum": 0.0},
        "bfloat16_revision": 2,
        "parents": [],
    }
    spec = spec_of("pretrain", old)
    assert isinstance(spec, PretrainSpec)
    assert (spec.optimizer.name, spec.optimizer.parameters) == ("adamw", {"lr": 0.01, "weight_decay": 0.1})
    assert (spec.schedule.kind, spec.schedule.name, spec.schedule.plugin) == ("schedule", "cosine", "training")
    labels = {"unit": "count", "amount": 20, "stratified": False}
    older = {**now["evaluate"], "labels": labels, "short": "clip", "metrics": 2}
    del older["encoder"]
    evaluation = spec_of("evaluate", older)
    assert isinstance(evaluation, EvaluateSpec)
    assert evaluation.labels == Budget("count", 20, short="clip")
    assert evaluation.encoder is None


@pytest.mark.parametrize("kind", kinds())
def test_data_that_describes_no_stage_is_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    whole = _specs(tmp_path)[kind]
    for name in whole.keys() - {
        "encoder",
        "epochs_scale",
        "select_by",
        "sweep",
        "spy",
        "pool",
        "held_out",
        "unlabelled",
    }:
        with pytest.raises(UserError, match=rf"this does not describe a stage of kind '{kind}': {name}"):
            spec_of(kind, {key: value for key, value in whole.items() if key != name})
    with pytest.raises(
        UserError, match=r"there is no kind of stage 'nothing'; there are 'analyse', 'corrupt', 'embed'"
    ):
        spec_of("nothing", whole)


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": []},
        {"kind": 5},
        {"name": None},
        {"parameters": []},
        {"parameters": None},
        {"neutral": 5},
        {"files": -1.5},
    ],
    ids=str,
)
def test_a_damaged_component_is_refused_in_one_line(damage: dict[str, object], tmp_path: Path) -> None:
    whole = _specs(tmp_path)["evaluate"]
    evaluator = whole["evaluator"]
    assert isinstance(evaluator, dict)
    with pytest.raises(UserError, match=r"kind 'evaluate': evaluator: .*expected a component"):
        spec_of("evaluate", {**whole, "evaluator": {**evaluator, **damage}})


@pytest.mark.parametrize(
    "damage", [{"unit": "bogus"}, {"unit": []}, {"amount": "x"}, {"amount": True}, {"more": 1}], ids=str
)
def test_a_damaged_budget_is_refused_in_one_line(damage: dict[str, object], tmp_path: Path) -> None:
    whole = _specs(tmp_path)["evaluate"]
    labels = whole["labels"]
    assert isinstance(labels, dict)
    with pytest.raises(UserError, match=r"kind 'evaluate': labels: "):
        spec_of("evaluate", {**whole, "labels": {**labels, **damage}})


def _places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Yield where something stands in JSON data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from _places(item, (*path, key))


def test_whatever_stands_in_one_place_it_is_read_or_refused_in_one_line(tmp_path: Path) -> None:
    specs = _specs(tmp_path)
    places = [(kind, path) for kind in specs for path in _places(specs[kind])]

    @given(place=st.sampled_from(places), value=JSON)
    @settings(max_examples=300)
    def change(place: tuple[str, tuple[object, ...]], value: object) -> None:
        kind, path = place
        changed: Any = copy.deepcopy(specs[kind])
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        refused = ""
        try:
            spec = spec_of(kind, changed)
        except UserError as error:
            refused = str(error)
        assert "\n" not in refused
        assert refused or spec_of(kind, spec.to_data()) == spec

    change()


@given(kind=st.sampled_from(sorted(kinds())), data=JSON)
def test_whatever_a_record_holds_it_is_read_or_refused_in_one_line(kind: str, data: object) -> None:
    with pytest.raises(UserError) as refused:
        spec_of(kind, data)
    assert "\n" not in str(refused.value)


def test_a_stage_that_says_nothing_of_its_features_is_one_line(tmp_path: Path) -> None:
    stage = Stage("ab", "few · cells", {}, spec_of("analyse", _specs(tmp_path)["analyse"]))
    with pytest.raises(StageError, match="'few · cells' does not say which features it reads"):
        _ = stage.features
