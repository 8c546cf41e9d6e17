"""Folds in a plan: what depends on a fold has a stage for each; what does not has one; wrong folds are refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from medssl_bench.datasets import DatasetContext
from medssl_bench.datasets.fold import Fold
from medssl_bench.errors import UserError
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.lookup import pick_trial
from medssl_bench.plan.selection import Selection
from medssl_bench.plan.stage import Plan
from medssl_bench.plan.stage_data import stage_from_data, stage_to_data
from medssl_bench.suite.suite import Suite

SUITE = """\
schema = 1
name = "folds"
seeds = [0, 1]
floors = ["majority"]
{suite}

[dataset.cells]
name = "phantom_cells"
train = 120
val = 20
test = 40
per_patient = 10

[dataset.again]
name = "phantom_cells"
train = 120
val = 20
test = 40
per_patient = 10
nuisance = 0.0

[dataset.pool]
name = "phantom_cells"
train = 100
val = 20
test = 20
seed = 5

[encoder.tiny]
name = "timm"
model = "test_resnet"

[pretraining.nat]
method = "simclr"
encoder = "tiny"
augmentation = "simclr"
epochs = 1

[[comparison]]
id = "table"
datasets = ["cells"]
labels = [20]
encoder = "tiny"
{table}

  [[comparison.arm]]
  name = "own"
  pretraining = ["nat"]
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "named"
  pretraining = [{{ recipe = "nat", on = "cells" }}]
  evaluator = "linear_probe"

  [[comparison.arm]]
  name = "apart"
  pretraining = [{{ recipe = "nat", on = "pool" }}]
  evaluator = "linear_probe"
"""


def plan_of(folder: Path, *, suite: str = "", table: str = "folds = 3", selection: Selection | None = None) -> Plan:
    """Return the plan of the suite with some lines in it."""
    file = folder / "suite.toml"
    file.write_text(SUITE.format(suite=suite, table=table))
    return build_plan(Suite.load(file), DatasetContext(folder, folder), selection)


def kinds(plan: Plan) -> Counter[str]:
    return Counter(stage.kind for stage in plan.stages.values())


def test_pretraining_on_the_evaluated_set_has_a_stage_for_each_fold_and_on_another_set_one(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    pretrained = [stage for stage in plan.stages.values() if stage.kind == "pretrain"]
    assert Counter(stage.spec.dataset.fold for stage in pretrained) == {
        Fold(0, 3): 2,
        Fold(1, 3): 2,
        Fold(2, 3): 2,
        None: 2,
    }  # two seeds; an arm that names the evaluated set shares the stages of one that does not
    evaluated = [plan.stages[trial.stage] for trial in plan.trials]
    assert all(stage.spec.dataset.fold is not None for stage in evaluated)
    assert Counter(trial.fold for trial in plan.trials) == {0: 8, 1: 8, 2: 8}
    assert len({stage.title for stage in plan.stages.values()}) == len(plan.stages)


def test_without_folds_nothing_is_as_it_was_not(tmp_path: Path) -> None:
    plain, one = plan_of(tmp_path, table=""), plan_of(tmp_path, suite="folds = 4", table="folds = 1")

    assert list(plain.stages) == list(one.stages)
    assert {trial.fold for trial in plain.trials} == {None}
    assert "fold" not in str([stage_to_data(stage) for stage in plain.stages.values()])


def test_the_number_of_folds_is_the_comparisons_or_else_the_suites_and_decides_alike(tmp_path: Path) -> None:
    assert list(plan_of(tmp_path).stages) == list(plan_of(tmp_path, suite="folds = 3", table="").stages)
    assert list(plan_of(tmp_path).stages) == list(plan_of(tmp_path, suite="folds = 5").stages)
    assert not set(plan_of(tmp_path).stages) & set(plan_of(tmp_path, table="folds = 4").stages) - {
        stage.key for stage in plan_of(tmp_path).stages.values() if stage.title.startswith("pretrain · nat · pool")
    }


def test_some_folds_can_be_selected(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, selection=Selection(folds=(2,)))

    assert {trial.fold for trial in plan.trials} == {2}
    assert set(plan.stages) < set(plan_of(tmp_path).stages)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"selection": Selection(folds=(3,))}, "--folds 3: comparison 'table' has 3 folds, 0 to 2"),
        ({"selection": Selection(folds=(0,)), "table": ""}, "--folds: no comparison of the suite has folds"),
        ({"table": "folds = 0"}, "folds: input should be greater than or equal to 1, not 0"),
        ({"table": "folds = 101"}, "folds: input should be less than or equal to 100, not 101"),
        ({"table": "folds = 19"}, "folds: Phantom blood cells: 18 groups cannot be shared out to 19 folds"),
        (
            {"table": 'folds = 3\nanalyses = ["silhouette"]\nanalyses_of = { folds = [3] }'},
            "there is no fold 3 in the comparison; there are: 0, 1, 2",
        ),
        (
            {"table": 'analyses = ["silhouette"]\nanalyses_of = { folds = [0] }'},
            "there is no fold 0 in the comparison; it has no folds",
        ),
    ],
)
def test_folds_that_are_not_there_are_refused(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        plan_of(tmp_path, **given)

    assert message in str(error.value)


def test_a_set_of_the_same_files_under_another_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    file = tmp_path / "suite.toml"
    text = SUITE.format(suite="", table="folds = 3").replace('on = "pool"', 'on = "twin"')
    for name in ("a", "b"):
        for number in range(6):
            (tmp_path / "images" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "images" / name / f"{number}.png").write_bytes(_png(40 * number + (name == "b")))
    folder = 'name = "folder"\npath = "images"\nvalidation = 0.2\ntest = 0.2\n'
    text = text.replace(
        "[dataset.pool]", f"[dataset.own]\n{folder}\n[dataset.twin]\n{folder}size = 20\n\n[dataset.pool]"
    )
    file.write_text(
        text.replace('datasets = ["cells"]', 'datasets = ["own"]').replace("labels = [20]", 'labels = ["all"]')
    )

    with pytest.raises(UserError, match="'twin' reads the same files as 'own'"):
        build_plan(Suite.load(file), DatasetContext(tmp_path, tmp_path))


def _png(value: int) -> bytes:
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (24, 24), (value, value, 255 - value)).save(stream, "PNG")
    return stream.getvalue()


def test_analyses_are_of_each_fold_or_of_some(tmp_path: Path) -> None:
    every = plan_of(tmp_path, table='folds = 3\nanalyses = ["silhouette"]')
    some = plan_of(tmp_path, table='folds = 3\nanalyses = ["silhouette"]\nanalyses_of = { folds = [1] }')

    assert {cell.fold for cell in every.analyses} == {0, 1, 2}
    assert {cell.fold for cell in some.analyses} == {1}


def test_a_stage_of_a_fold_travels_to_a_worker(tmp_path: Path) -> None:
    for stage in plan_of(tmp_path).stages.values():
        assert stage_from_data(stage_to_data(stage)) == stage


def test_a_trial_is_picked_by_its_fold_and_the_others_are_told(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)

    picked = pick_trial(plan, lambda trial: trial.stage, arm="own", seed=0)
    assert (picked.trial.fold, picked.others) == (0, {"fold": ["1", "2"]})
    assert pick_trial(plan, lambda trial: trial.stage, arm="own", seed=0, fold=2).trial.fold == 2
