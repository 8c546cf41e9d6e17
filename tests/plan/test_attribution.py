"""What each kind of stage says that it is of, and its settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.stage import Plan
from medssl_bench.plan.stage_data import stage_from_data, stage_to_data
from medssl_bench.plugin.watching import ArmInfo, StageInfo
from medssl_bench.suite.suite import Suite

SUITE = """
schema = 1
name = "said"
seeds = [0, 1]
draws = [0, 1]
floors = ["majority", "untrained"]

[dataset.here]
name = "phantom_cells"
train = 60
val = 20
test = 20

[dataset.there]
name = "phantom_cells"
train = 60
val = 20
test = 20
seed = 7

[pretraining.first]
encoder = { name = "timm", model = "test_resnet" }
augmentation = "plain"
epochs = 3
batch_size = 20

[pretraining.taught]
method = { name = "simclr", temperature = 0.5 }
encoder = { name = "timm", model = "test_resnet" }
augmentation = ["horizontal_flip"]
epochs = 2
batch_size = 20
teacher = { arm = "tuned", labels = 40 }

[[comparison]]
id = "one"
datasets = ["here"]
labels = [20]
encoder = { name = "timm", model = "test_resnet" }
analyses = ["silhouette"]
corrupted = { ops = ["gaussian_noise"], severities = [1] }
test_on = ["there"]

  [[comparison.arm]]
  name = "probed"
  pretraining = [{ recipe = "first", on = "there" }, "first"]
  evaluator = { name = "linear_probe", epochs = 2 }

  [[comparison.arm]]
  name = "tuned"
  pretraining = ["first"]
  evaluator = { name = "finetune", epochs = 2 }

[[comparison]]
id = "two"
datasets = ["here"]
labels = [20]
encoder = { name = "timm", model = "test_resnet" }

  [[comparison.arm]]
  name = "again"
  pretraining = ["first"]
  evaluator = { name = "knn", k = 3 }
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return _plan(tmp_path_factory.mktemp("said"))


def _plan(folder: Path, *changes: tuple[str, str]) -> Plan:
    text = SUITE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "suite.toml").write_text(text)
    return build_plan(Suite.load(folder / "suite.toml"), DatasetContext(folder, folder))


def _of(plan: Plan, title: str) -> StageInfo:
    (found,) = [stage.info() for stage in plan.stages.values() if stage.title == title]
    return found


def _axes(found: StageInfo) -> tuple[str, int | None, int | None]:
    return found.labels, found.seed, found.draw


def test_a_pretraining_is_of_every_arm_that_needs_it_and_of_no_labels_and_no_draw(plan):
    found = _of(plan, "pretrain · first · here · seed 1")
    assert found.arms == (ArmInfo("one", "tuned"), ArmInfo("two", "again"))
    assert (found.dataset, *_axes(found), found.fold) == ("here", "", 1, None, None)
    assert (found.recipe, found.method, found.on) == ("first", "simclr", "")
    assert found.parameters["method"] == {
        "name": "simclr", "temperature": 0.07, "hidden": 1000, "projection": 128, "loss": "nt_xent"
    }  # fmt: skip
    assert found.parameters["dataset"]["train"] == 60
    assert (found.parameters["epochs"], found.parameters["batch_size"], found.parameters["images"]) == (3, 20, "all")
    assert found.parameters["encoder"]["model"] == "test_resnet"


def test_what_follows_a_chain_names_its_recipes_in_order(plan):
    second = "pretrain · first · here · seed 0 after first · there · seed 0"
    assert _of(plan, "pretrain · first · there · seed 0").dataset == "there"
    for title in (second, f"features · here · {second}", "one · here · probed · 20 labels · seed 0 · draw 1"):
        found = _of(plan, title)
        assert (found.dataset, found.recipe, found.method) == ("here", "first + first", "simclr + simclr")
        assert found.arms == (ArmInfo("one", "probed"),)


def test_features_and_analyses_have_the_labels_of_the_encoder_that_they_are_of(plan):
    assert _axes(_of(plan, "features · here · untrained test_resnet, seed 1")) == ("", 1, None)
    assert _axes(_of(plan, "features · here · one · here · tuned · 20 labels · seed 0 · draw 1")) == ("20", 0, 1)
    assert _axes(_of(plan, "silhouette · one · here · probed · seed 0")) == ("", 0, None)
    assert _axes(_of(plan, "silhouette · one · here · tuned · seed 0 · 20 labels · draw 1")) == ("20", 0, 1)


def test_what_no_chance_decides_has_neither_seed_nor_draw(plan):
    found = _of(plan, "one · here · majority class · all labels")
    assert (_axes(found), found.recipe) == (("all", None, None), "")
    assert [arm.comparison for arm in found.arms] == ["one", "two"]


@pytest.mark.parametrize(
    ("title", "on"), [("corrupt · gaussian_noise", "gaussian_noise"), ("transfer · to there", "there")]
)
def test_other_images_are_of_the_trial_whose_classifier_predicts_them(plan, title, on):
    found = _of(plan, f"{title} · one · here · probed · 20 labels · seed 1 · draw 0")
    assert (found.dataset, found.on, found.recipe, *_axes(found)) == ("here", on, "first + first", "20", 1, 0)
    assert found.arms == (ArmInfo("one", "probed"),)


def test_a_pretraining_that_a_trained_arm_teaches_has_the_labels_of_its_teacher(tmp_path):
    plan = _plan(tmp_path, ('pretraining = [{ recipe = "first", on = "there" }, "first"]', 'pretraining = ["taught"]'))
    found = next(stage.info() for stage in plan.stages.values() if stage.kind == "pretrain" and "draw 1" in stage.title)
    assert (found.recipe, *_axes(found)) == ("taught", "40", 0, 1)
    taught = _of(plan, "one · here · tuned · 40 labels · seed 0 · draw 1")
    assert taught.arms == (ArmInfo("one", "probed"),)  # which needs it; it is no cell of its own


def test_a_fold_is_of_what_it_shares_out(tmp_path):
    plan = _plan(tmp_path, ('id = "two"', 'id = "two"\nfolds = 2'))
    folds = {stage.title: stage.info().fold for stage in plan.stages.values() if "fold" in stage.title}
    assert {f"fold {fold}" in title for title, fold in folds.items()} == {True}
    assert _of(plan, "pretrain · first · there · seed 0").fold is None


def test_it_travels_and_no_key_has_it(plan):
    for stage in plan.stages.values():
        assert stage_from_data(json.loads(json.dumps(stage_to_data(stage)))).info() == stage.info()
        assert json.loads(json.dumps(stage.info().parameters)) == stage.info().parameters
        assert "arms" not in stage.identity
    older = stage_to_data(stage)
    del older["about"]
    assert stage_from_data(older).info().arms == ()
