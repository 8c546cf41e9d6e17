"""The JSON Schema that editors check suites by, judged by the jsonschema package."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from suite.conftest import SUITE, changed

from medssl_bench.plugin.kinds import KINDS
from medssl_bench.plugin.manager import Plugins
from medssl_bench.suite.json_schema import json_schema
from medssl_bench.suite.suite import Suite

FULL = """
schema = 1
name = "full"
description = "most keys"
requires = ["medssl-bench"]
plugins = []
seeds = [0, 1]
draws = [0]
floors = ["majority"]
epochs_scale = 0.5

[dataset.cells]
name = "phantom_cells"
train = 400
[augmentation]
own = ["horizontal_flip", { name = "resized_crop", scale = [0.5, 1.0] }]
[encoder.tiny]
name = "timm"
model = "test_resnet"
[method.hot]
name = "simclr"
temperature = 0.5
[evaluator.brief]
name = "finetune"
epochs = 3

[pretraining.a]
method = { name = "hot", hidden = 100 }
encoder = "tiny"
augmentation = "own"
epochs = { cells = 4, default = 2 }
images = "50%"
batch_size = 64
view_size = 28
optimizer = { name = "sgd", lr = 0.1, momentum = 0.5 }
schedule = { name = "cosine", period = 3, warmup = 1 }
precision = "bfloat16"
keep = "best"
validate_every = 2
[pretraining.b]
extends = "a"
steps = 100
teacher = { arm = "tuned", labels = { per_class = 3, short = "clip" } }
sweep = { "optimizer.lr" = [0.1, 0.2] }

[[comparison]]
id = "one"
title = "One"
datasets = ["cells", { name = "cells", seed = 1 }, "bloodmnist"]
labels = [50, "10%", { count = 5, stratified = true, short = "skip" }, "all"]
validation_labels = 0
selection = "last"
metrics = ["balanced_accuracy"]
baseline = "tuned"
analyses = ["silhouette", { name = "silhouette", components = [2] }]
analyses_of = { arms = ["tuned"], datasets = ["cells", "cells seed=1"], labels = ["all"], seeds = [0], draws = [0] }
shuffle_labels = true
encoder = "tiny"
  [[comparison.arm]]
  name = "tuned"
  evaluator = { name = "brief", lr = 0.5, augmentation = "own" }
  [[comparison.arm]]
  name = "probe"
  pretraining = [{ recipe = "a", on = "pathmnist" }, { recipe = "b", on = { name = "cells", seed = 3 } }, "b"]
  evaluator = "linear_probe"
"""


@pytest.fixture(scope="module")
def validator(plugins: Plugins) -> jsonschema.Draft202012Validator:
    schema = json_schema(plugins.registry)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    return jsonschema.Draft202012Validator(json.loads(json.dumps(schema)))


def _suites() -> list[Path]:
    return sorted((Path(__file__).parents[2] / "suites").glob("*.toml"))


@pytest.mark.parametrize("text", [SUITE, FULL], ids=["small", "full"])
def test_valid_suites_fit(text: str, validator: jsonschema.Draft202012Validator, load: Callable[..., Suite]) -> None:
    validator.validate(tomllib.loads(text))
    load(text)


def test_values_to_tune_fit(validator: jsonschema.Draft202012Validator, load: Callable[..., Suite]) -> None:
    tune = '{ lr = [0.1, 0.01], augmentation = ["own", "simclr"] }'
    text = changed(('evaluator = "finetune"', f'evaluator = {{ name = "finetune", tune = {tune} }}'))
    text += '[augmentation]\nown = ["horizontal_flip"]\n'
    validator.validate(tomllib.loads(text))
    load(text)


@pytest.mark.parametrize("path", _suites(), ids=lambda path: path.name)
def test_the_suites_of_this_repository_fit(path: Path, validator: jsonschema.Draft202012Validator) -> None:
    validator.validate(tomllib.loads(path.read_text("utf-8")))


def test_a_suite_that_extends_another_need_not_repeat_it(validator: jsonschema.Draft202012Validator) -> None:
    document: dict[str, Any] = {
        "extends": "base.toml",
        "comparison": [{"id": "table", "labels": [5], "arm": [{"name": "frozen", "encoder": "resnet34"}]}],
    }
    validator.validate(document)
    del document["extends"]
    missing = {error.message.partition(" is ")[0] for error in validator.iter_errors(document)}
    assert missing == {"'schema'", "'name'", "'datasets'", "'evaluator'"}


@pytest.mark.parametrize(
    "change",
    [
        ("schema = 1", "schema = 2"),
        ('name = "small"', "name = 3"),
        ('name = "small"', 'name = "small"\nseed = [0]'),
        ('name = "small"', 'name = "small"\nseeds = [-1]'),
        ('name = "small"', 'name = "small"\nepochs_scale = 2'),
        ("epochs = 10", "epochs = 0"),
        ("epochs = 10", "epochs = { default = 1.5 }"),
        ("epochs = 10", "epochs = 10\noptimizer.lrr = 1"),
        ("epochs = 10", "epochs = 10\nkeep = 'first'"),
        ('augmentation = "simclr"', ""),
        ('augmentation = "simclr"', "augmentation = 3"),
        ('augmentation = "simclr"', 'augmentation = { name = "simclr", zzz = 1 }'),
        ('augmentation = "simclr"', 'augmentation = [{ name = "horizontal_flip", p = 2 }]'),
        ('augmentation = "simclr"', 'augmentation = ["horizontal_flip", 3]'),
        ('labels = [100, "all"]', "labels = []"),
        ('labels = [100, "all"]', 'labels = ["some"]'),
        ('labels = [100, "all"]', "labels = [{ per_class = 0 }]"),
        ('labels = [100, "all"]', "labels = [{ zzz = 3 }]"),
        ('datasets = ["bloodmnist"]', 'datasets = [{ name = "bloodmnist", size = 30 }]'),
        ('datasets = ["bloodmnist"]', 'datasets = [{ name = "npz" }]'),
        ('evaluator = "finetune"', ""),
        ('evaluator = "finetune"', 'evaluator = { name = "finetune", epochs = "3" }'),
        ('evaluator = "finetune"', 'evaluator = { name = "finetune", epochs = 0 }'),
        ('evaluator = "finetune"', "evaluator = { epochs = 3 }"),
        ('evaluator = "finetune"', 'evaluator = { name = "finetune", tune = { lr = 0.1 } }'),
        ('evaluator = "finetune"', 'evaluator = { name = "finetune", tune = { zzz = [1, 2] } }'),
        ('evaluator = "finetune"', 'evaluator = { name = "finetune", tune = { epochs = ["3", 5] } }'),
        ('augmentation = "simclr"', 'augmentation = { name = "simclr", tune = { strength = [1.0, 2.0] } }'),
        ('["nat"]', "[3]"),
        ('["nat"]', '[{ recipe = "nat", of = "x" }]'),
        ('["nat"]', '[{ recipe = "nat", on = 3 }]'),
        ("[[comparison]]", "[comparison]"),
    ],
)
def test_malformed_suites_do_not_fit(change: tuple[str, str], validator: jsonschema.Draft202012Validator) -> None:
    text = changed(change) if change[1] != "[comparison]" else changed(change).split("  [[comparison.arm]]")[0]
    assert not validator.is_valid(tomllib.loads(text))


def test_every_component_and_the_meaning_of_its_parameters_are_in_it(
    validator: jsonschema.Draft202012Validator, plugins: Plugins
) -> None:
    for kind in set(KINDS) - {"executor", "watcher", "metric", "reference", "claims"}:
        options = validator.schema["$defs"][f"component_{kind}"]["anyOf"]
        named = {o["properties"]["name"].get("const"): o for o in options if o.get("title") == "parameters"}
        assert named.keys() == plugins.registry.entries[kind].keys()
    epochs = next(
        option["properties"]["epochs"]
        for option in validator.schema["$defs"]["component_evaluator"]["anyOf"]
        if option.get("properties", {}).get("name", {}).get("const") == "finetune"
    )
    assert epochs["default"] == 500
    assert "passes over the labelled images" in epochs["description"]
