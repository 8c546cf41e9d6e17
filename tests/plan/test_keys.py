"""Content keys: what is the same has the same key, what differs has another."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan.conftest import PlanOf, changed, keys
from pydantic import BaseModel

from medssl_bench.plan.arithmetic import BFLOAT16_REVISION
from medssl_bench.plan.keys import content_key, differences
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite import schema

NUMBERS = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
IDENTITIES = st.dictionaries(st.text(max_size=5), VALUES, max_size=4)


def _otherwise_written(value: Any, chance: random.Random) -> Any:
    """Return the same thing with keys in another order, lists as tuples, and whole numbers as floats."""
    if isinstance(value, dict):
        items = [(key, _otherwise_written(item, chance)) for key, item in value.items()]
        chance.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        return tuple(_otherwise_written(item, chance) for item in value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    return value


@given(IDENTITIES, st.randoms(use_true_random=False))
def test_one_thing_in_two_ways_has_one_key(identity: dict[str, Any], chance: random.Random) -> None:
    assert content_key(_otherwise_written(identity, chance)) == content_key(identity)


@given(IDENTITIES, IDENTITIES)
def test_keys_differ_just_where_something_differs(first: dict[str, Any], second: dict[str, Any]) -> None:
    same = content_key(first) == content_key(second)
    assert same == (json.dumps(_plain(first), sort_keys=True) == json.dumps(_plain(second), sort_keys=True))
    if not same and all(value is not None for value in (*first.values(), *second.values())):
        assert differences(first, second)
    assert differences(first, first) == []


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value == int(value) else value


def test_a_key_is_the_checksum_of_the_canonical_text() -> None:
    text = '{"a":[1,true,null,0.5],"b":{"c":224}}'
    assert content_key({"b": {"c": 224.0}, "a": (1, True, None, 0.5)}) == hashlib.sha256(text.encode()).hexdigest()
    assert content_key({"a": True}) != content_key({"a": 1})
    assert content_key({"a": "1"}) != content_key({"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        content_key({"a": float("nan")})


def test_differences_are_told_by_key() -> None:
    old = {"a": {"b": 1, "c": [1, 2]}, "d": "x", "e": "0" * 64}
    new = {"a": {"b": 2.0, "c": [1, 2.0]}, "d": "x", "e": "1" * 64, "f": "y" * 60}
    assert differences(old, new) == [
        "a.b: 1 -> 2",
        f"e: {'0' * 12} -> {'1' * 12}",
        f'f: null -> "{"y" * 44}...',
    ]


RECIPE, TABLE, TOP = "epochs = 10\n", 'baseline = "tuned"\n', 'name = "small"\n'
EVERYTHING = {"pretrain", "embed", "evaluate"}
TEACHER = 'epochs = 10\nteacher = { arm = "%s"%s }\n'

DECIDES: dict[str, tuple[tuple[str, str], set[str]]] = {
    "Pretraining.method": (('"simclr"\nencoder', '{ name = "simclr", temperature = 0.5 }\nencoder'), EVERYTHING),
    "Pretraining.encoder": (('encoder = "resnet18"', 'encoder = "resnet34"'), EVERYTHING),
    "Pretraining.augmentation": (('augmentation = "simclr"', 'augmentation = "plain"'), EVERYTHING),
    "Pretraining.epochs": ((RECIPE, "epochs = 11\n"), EVERYTHING),
    "Pretraining.steps": ((RECIPE, "steps = 10\n"), EVERYTHING),
    "Pretraining.images_seen": ((RECIPE, "images_seen = 10\n"), EVERYTHING),
    "Pretraining.compute_images": ((RECIPE, "compute_images = 10\n"), EVERYTHING),
    "Pretraining.images": ((RECIPE, f"{RECIPE}images = 5000\n"), EVERYTHING),
    "Pretraining.batch_size": ((RECIPE, f"{RECIPE}batch_size = 128\n"), EVERYTHING),
    "Pretraining.view_size": ((RECIPE, f"{RECIPE}view_size = 32\n"), EVERYTHING),
    "Pretraining.precision": ((RECIPE, f'{RECIPE}precision = "bfloat16"\n'), EVERYTHING),
    "Pretraining.keep": ((RECIPE, f'{RECIPE}keep = "best"\n'), EVERYTHING),
    "Pretraining.validate_every": ((RECIPE, f"{RECIPE}validate_every = 2\n"), EVERYTHING),
    "Pretraining.teacher": ((RECIPE, TEACHER % ("scratch", "")), EVERYTHING),
    "Optimizer.name": ((RECIPE, f'{RECIPE}optimizer.name = "sgd"\n'), EVERYTHING),
    "Optimizer.lr": ((RECIPE, f"{RECIPE}optimizer.lr = 0.1\n"), EVERYTHING),
    "Optimizer.weight_decay": ((RECIPE, f"{RECIPE}optimizer.weight_decay = 0.1\n"), EVERYTHING),
    "Optimizer.momentum": ((RECIPE, f"{RECIPE}optimizer.momentum = 0.1\n"), EVERYTHING),
    "Optimizer.clip": ((RECIPE, f"{RECIPE}optimizer.clip = 1.0\n"), EVERYTHING),
    "Optimizer.weight_decay_end": ((RECIPE, f"{RECIPE}optimizer.weight_decay_end = 0.1\n"), EVERYTHING),
    "Optimizer.betas": ((RECIPE, f"{RECIPE}optimizer.betas = [0.9, 0.95]\n"), EVERYTHING),
    "Optimizer.nesterov": ((RECIPE, f'{RECIPE}optimizer = {{ name = "sgd", nesterov = true }}\n'), EVERYTHING),
    "Optimizer.trust": ((RECIPE, f'{RECIPE}optimizer = {{ name = "lars", trust = 0.01 }}\n'), EVERYTHING),
    "Schedule.name": ((RECIPE, f'{RECIPE}schedule.name = "constant"\n'), EVERYTHING),
    "Schedule.minimum": ((RECIPE, f"{RECIPE}schedule.minimum = 0\n"), EVERYTHING),
    "Schedule.period": ((RECIPE, f"{RECIPE}schedule.period = 5\n"), EVERYTHING),
    "Schedule.warmup": ((RECIPE, f"{RECIPE}schedule.warmup = 1\n"), EVERYTHING),
    "Comparison.datasets": (('["bloodmnist"]', '["pathmnist"]'), EVERYTHING),
    "Comparison.labels": (('[100, "all"]', "[101]"), {"evaluate"}),
    "Comparison.validation_labels": ((TABLE, f"{TABLE}validation_labels = 10\n"), {"evaluate"}),
    "Comparison.selection": ((TABLE, f'{TABLE}selection = "test"\n'), {"evaluate"}),
    "Comparison.shuffle_labels": ((TABLE, f"{TABLE}shuffle_labels = true\n"), {"evaluate"}),
    "Comparison.seeds": ((TABLE, f"{TABLE}seeds = [1]\n"), EVERYTHING),
    "Comparison.folds": ((TABLE, f"{TABLE}folds = 5\n"), EVERYTHING),
    "Comparison.draws": ((TABLE, f"{TABLE}draws = [1]\n"), {"evaluate"}),
    "Comparison.encoder": ((TABLE, f'{TABLE}encoder = "resnet34"\n'), {"evaluate"}),
    "SuiteModel.seeds": (("seeds = [0]", "seeds = [1]"), EVERYTHING),
    "SuiteModel.folds": (("seeds = [0]", "seeds = [0]\nfolds = 5"), EVERYTHING),
    "SuiteModel.draws": (("draws = [0]", "draws = [1]"), {"evaluate"}),
    "Comparison.spy": ((TABLE, f"{TABLE}spy = true\n"), {"evaluate"}),
    "Comparison.select_by": ((TABLE, f'{TABLE}select_by = "auroc"\n'), {"evaluate"}),
    "SuiteModel.epochs_scale": ((TOP, f"{TOP}epochs_scale = 0.5\n"), EVERYTHING),
    "Arm.pretraining": (('["nat"]\n  evaluator = "linear', '[]\n  evaluator = "linear'), {"embed", "evaluate"}),
    "Arm.evaluator": (('"linear_probe"', '"knn"'), {"evaluate"}),
    "Arm.encoder": (('evaluator = "finetune"\n\n', 'evaluator = "finetune"\n  encoder = "resnet34"\n\n'), {"evaluate"}),
    "ChainLink.on": (('["nat"]\n  evaluator = "li', '[{ recipe = "nat", on = "pathmnist" }]\n  evaluator = "li'),
                     EVERYTHING),
    "ChainLink.recipe": (('["nat"]\n  evaluator = "linear', '["nat", "nat"]\n  evaluator = "linear'), EVERYTHING),
}  # fmt: skip
"""What decides results: a change, and the kinds of stages of which it makes others."""

DESCRIBES: dict[str, tuple[str, str]] = {
    "SuiteModel.name": ('"small"', '"another"'),
    "SuiteModel.description": (TOP, f'{TOP}description = "what it asks"\n'),
    "SuiteModel.requires": (TOP, f'{TOP}requires = ["numpy"]\n'),
    "SuiteModel.claims": (TOP, f"{TOP}claims = []\n"),
    "SuiteModel.pretraining": ("[pretraining.nat]", '[pretraining.other]\nextends = "nat"\n[pretraining.nat]'),
    "SuiteModel.dataset": ("[[comparison]]", '[dataset.bloodmnist]\nname = "bloodmnist"\n[[comparison]]'),
    "SuiteModel.encoder": ("[[comparison]]", '[encoder.resnet18]\nname = "resnet18"\n[[comparison]]'),
    "SuiteModel.method": ("[[comparison]]", '[method.simclr]\nname = "simclr"\n[[comparison]]'),
    "SuiteModel.evaluator": ("[[comparison]]", '[evaluator.finetune]\nname = "finetune"\n[[comparison]]'),
    "SuiteModel.augmentation": ("[[comparison]]", '[augmentation.simclr]\nname = "simclr"\n[[comparison]]'),
    "SuiteModel.floors": ('["majority", "untrained"]', '["untrained", "majority"]'),
    "Comparison.id": ('"table"', '"another"'),
    "Comparison.title": (TABLE, f'{TABLE}title = "A title"\n'),
    "Comparison.margin": (TABLE, f"{TABLE}margin = 0.01\n"),
    "Comparison.holm": (TABLE, f'{TABLE}holm = "table"\n'),
    "Comparison.metrics": (TABLE, f'{TABLE}metrics = ["balanced_accuracy"]\n'),
    "Comparison.baseline": (TABLE, 'baseline = "scratch"\n'),
    "Comparison.floors": (TABLE, f'{TABLE}floors = ["majority", "untrained"]\n'),
    "Arm.name": ('"probed"', '"another"'),
    "Arm.variant_of": ('name = "probed"', 'name = "probed"\n  variant_of = "one"'),
}

ELSEWHERE = {
    "SuiteModel.without", "Comparison.without", "SuiteModel.schema_version", "SuiteModel.extends",
    "SuiteModel.plugins", "SuiteModel.comparison",
    "AnalysesOf.arms", "AnalysesOf.datasets", "AnalysesOf.labels", "AnalysesOf.seeds", "AnalysesOf.draws",
    "AnalysesOf.folds", "Corrupted.ops", "Corrupted.severities", "TestOn.dataset", "TestOn.classes",
    "Comparison.corrupted", "Comparison.test_on",
    "Comparison.arm", "Comparison.analyses", "Comparison.analyses_of",
    "Comparison.reference", "Pretraining.extends", "Pretraining.sweep", "Pretraining.choose",
    "Pretraining.optimizer", "Pretraining.schedule", "Pretraining.pool", "Teacher.arm", "Teacher.labels",
}  # fmt: skip
"""Keys that only hold others, say where others come from, or have tests of their own."""

MODELS = (
    schema.SuiteModel, schema.Pretraining, schema.Teacher, schema.ChainLink, schema.AnalysesOf,
    schema.Comparison, schema.Arm, schema.Corrupted, schema.TestOn,
)  # fmt: skip


def test_every_key_of_a_suite_is_known_to_decide_or_to_describe() -> None:
    fields = {f"{model.__name__}.{name}" for model in MODELS for name in model.model_fields}
    registry = load_plugins().registry
    fields |= {
        f"{heading}.{option}"
        for heading, kind, name in (
            *(("Optimizer", "optimizer", name) for name in ("sgd", "adamw", "lars")),
            ("Schedule", "schedule", "cosine"),
        )
        for option in ("name", *registry.find(kind, name).table.model.model_fields)
    }
    assert DECIDES.keys() | DESCRIBES.keys() | ELSEWHERE == fields
    found = {
        m for m in vars(schema).values() if isinstance(m, type) and issubclass(m, BaseModel) and m is not BaseModel
    }
    assert {model.__name__ for model in found} - {"StrictTable"} == {model.__name__ for model in MODELS}


@pytest.mark.parametrize("name", DECIDES)
def test_what_decides_results_is_in_the_keys(name: str, plan_of: PlanOf) -> None:
    change, kinds = DECIDES[name]
    before, after = plan_of(changed()), plan_of(changed(change))
    assert {kind for kind in EVERYTHING if keys(after, kind) ^ keys(before, kind)} == kinds


@pytest.mark.parametrize("name", DESCRIBES)
def test_what_describes_is_in_no_key(name: str, plan_of: PlanOf) -> None:
    assert plan_of(changed(DESCRIBES[name])).stages.keys() == plan_of(changed()).stages.keys()


@pytest.mark.parametrize(
    "change",
    [
        (RECIPE, f"{RECIPE}batch_size = 256\n"),
        (RECIPE, f"{RECIPE}optimizer = {{ lr = 5e-4, name = 'adamw' }}\n"),
        (RECIPE, f'{RECIPE}images = "all"\n'),
        (RECIPE, f"{RECIPE}view_size = 28\n"),
        (RECIPE, "epochs = { default = 10 }\n"),
        (RECIPE, "epochs = { bloodmnist = 10, default = 99 }\n"),
        ('"simclr"\nencoder', '{ name = "simclr", hidden = 1000 }\nencoder'),
        ('evaluator = "linear_probe"', 'evaluator = { name = "linear_probe", epochs = 500, lr = 0.001 }'),
        ('[100, "all"]', '[{ count = 100, short = "clip" }, "all"]'),
        (TABLE, f'{TABLE}selection = "validation"\n'),
        (TABLE, f'{TABLE}select_by = "accuracy"\n'),
        ('["nat"]\n  evaluator = "linear', '[{ recipe = "nat", on = "bloodmnist" }]\n  evaluator = "linear'),
    ],
)
def test_what_is_the_default_anyway_changes_no_key(change: tuple[str, str], plan_of: PlanOf) -> None:
    assert plan_of(changed(change)).stages.keys() == plan_of(changed()).stages.keys()


def test_numbers_that_are_equal_are_one(plan_of: PlanOf) -> None:
    first, second = (changed((RECIPE, f"{RECIPE}optimizer.lr = {lr}\n")) for lr in ("1", "1.0"))
    assert plan_of(first).stages.keys() == plan_of(second).stages.keys()


def test_the_whole_teacher_decides(plan_of: PlanOf) -> None:
    pretrained = {
        name: keys(plan_of(changed((RECIPE, TEACHER % (arm, labels)))), "pretrain")
        for name, arm, labels in (
            ("of the cell", "scratch", ""), ("all", "scratch", ', labels = "all"'), ("few", "scratch", ", labels = 50"),
        )
    }  # fmt: skip
    assert len(pretrained["of the cell"]) == 2, "one for each label budget"
    assert len(pretrained["all"]) == len(pretrained["few"]) == 1
    assert pretrained["all"] < pretrained["of the cell"]
    assert not pretrained["few"] & pretrained["of the cell"]


def test_source_and_revision_of_a_plugin_are_in_the_keys(
    plan_of: PlanOf, suite_of: Callable[[str], Any], plugins: Any
) -> None:
    from dataclasses import replace

    before = plan_of(changed())
    entries = plugins.registry.entries["augmentation"]
    entry = entries["simclr"]
    try:
        for change in (
            replace(entry, revision=entry.revision + 1),
            replace(entry, plugin=replace(entry.plugin, source="0" * 64)),
        ):
            entries["simclr"] = change
            assert not keys(plan_of(changed()), "pretrain") & keys(before, "pretrain")
    finally:
        entries["simclr"] = entry
    assert plan_of(changed()).stages.keys() == before.stages.keys()


def test_the_revision_of_bfloat16_is_in_the_keys_of_its_stages_alone(plan_of: PlanOf) -> None:
    """Float32 results are what they were when losses and similarities became float32: they are not computed again."""
    half = (RECIPE, f'{RECIPE}precision = "bfloat16"\n')
    tuned = (
        'name = "scratch"\n  evaluator = "finetune"',
        'name = "scratch"\n  evaluator = { name = "finetune", precision = "bfloat16" }',
    )
    for plan, kinds in (
        (plan_of(changed()), set()),
        (plan_of(changed(half)), {"pretrain"}),
        (plan_of(changed(tuned)), {"evaluate"}),
    ):
        revised = [stage for stage in plan.stages.values() if "bfloat16_revision" in stage.identity]
        assert {stage.kind for stage in revised} == kinds
        assert {stage.identity["bfloat16_revision"] for stage in revised} <= {BFLOAT16_REVISION}
