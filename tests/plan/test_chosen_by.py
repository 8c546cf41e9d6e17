"""The metric that epochs are chosen by is in keys where it decides a result, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from plan.conftest import SUITE, PlanOf, changed, keys

from medssl_bench.errors import SuiteError
from medssl_bench.plan.stage import Plan
from medssl_bench.plugin.manager import load_plugins

TABLE = 'baseline = "tuned"\n'
BY_AUROC = (TABLE, f'{TABLE}select_by = "auroc"\n')
MULTI_LABEL = ('"bloodmnist"', '"chestmnist"')

PLUGIN = """
from medssl_bench import hookimpl
from medssl_bench.datasets import Task
from medssl_bench.metrics import Metric

@hookimpl
def medssl_metrics(register):
    register("{name}", hits, revision={revision})
    register("seconds", seconds)

def hits():
    return Metric(measure, tasks=(Task.MULTI_CLASS,))

def measure(given):
    return float((given.scores.argmax(axis=1) == given.labels[:, 0]).mean())  {comment}

def seconds():
    return Metric(lambda result: 0.0, reads="record")
"""


def evaluations(plan: Plan, *arms: str) -> set[str]:
    return {trial.stage for trial in plan.trials if trial.arm in arms}


def test_only_what_chooses_an_epoch_has_another_key(plan_of: PlanOf) -> None:
    text = SUITE + '\n  [[comparison.arm]]\n  name = "near"\n  pretraining = ["nat"]\n  evaluator = "knn"\n'
    before, after = plan_of(text), plan_of(text.replace(*BY_AUROC))
    for kind in ("pretrain", "embed"):
        assert keys(before, kind) == keys(after, kind)
    choosing = ("scratch", "probed", "tuned", "untrained encoder")
    assert not evaluations(before, *choosing) & evaluations(after, *choosing)
    assert evaluations(before, "near", "majority class") == evaluations(after, "near", "majority class")


@pytest.mark.parametrize("setting", ['selection = "last"', "validation_labels = 0"])
def test_where_the_last_epoch_counts_no_key_changes(setting: str, plan_of: PlanOf) -> None:
    last = (TABLE, f"{TABLE}{setting}\n")
    both = (TABLE, f'{TABLE}{setting}\nselect_by = "auroc"\n')
    assert plan_of(changed(last)).stages.keys() == plan_of(changed(both)).stages.keys()


@pytest.mark.parametrize(("metric", "is_default"), [("auroc", True), ("accuracy", False)])
def test_of_multi_label_data_the_default_is_auroc(metric: str, is_default: bool, plan_of: PlanOf) -> None:
    named = (TABLE, f'{TABLE}select_by = "{metric}"\n')
    same = plan_of(changed(MULTI_LABEL)).stages.keys() == plan_of(changed(MULTI_LABEL, named)).stages.keys()
    assert same == is_default


def test_the_key_has_the_whole_identity_of_the_metric(plan_of: PlanOf) -> None:
    stage = next(stage for stage in plan_of(changed(BY_AUROC)).stages.values() if stage.kind == "evaluate")
    assert "select_by" not in stage.identity, "the majority class chooses nothing"
    found = [stage for stage in plan_of(changed(BY_AUROC)).stages.values() if "select_by" in stage.identity]
    assert found
    for stage in found:
        assert stage.identity["select_by"] == {
            "name": "auroc", "plugin": "metrics", "revision": 1, "source": None, "parameters": {},
        }  # fmt: skip
        assert stage.spec.select_by is not None
        assert stage.spec.select_by.kind == "metric"


@pytest.fixture
def plan_with(tmp_path: Path) -> PlanOf:
    """Return what plans the suite with a plugin's metric."""
    from medssl_bench.datasets import DatasetContext
    from medssl_bench.plan.build import build_plan
    from medssl_bench.suite.suite import Suite

    def plan_with(*changes: tuple[str, str], name: str = "hits", revision: int = 1, comment: str = "") -> Plan:
        (tmp_path / "own.py").write_text(PLUGIN.format(name=name, revision=revision, comment=comment), "utf-8")
        text = changed(('name = "small"\n', 'name = "small"\nplugins = ["own.py"]\n'), *changes)
        (tmp_path / "suite.toml").write_text(text, "utf-8")
        suite = Suite.load(tmp_path / "suite.toml", load_plugins())
        return build_plan(suite, DatasetContext(tmp_path / "data", tmp_path / "cache"))

    return plan_with


def test_another_metric_revision_or_source_is_another_result(plan_with: PlanOf) -> None:
    by_hits = (TABLE, f'{TABLE}select_by = "hits"\n')
    plans = [
        plan_with(),
        plan_with(by_hits),
        plan_with(by_hits, revision=2),
        plan_with(by_hits, comment="# as before"),
        plan_with((TABLE, f'{TABLE}select_by = "mine"\n'), name="mine"),
    ]
    found = [evaluations(plan, "scratch") for plan in plans]
    assert len(set.union(*found)) == sum(map(len, found))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            ((TABLE, f'{TABLE}select_by = "hits"\n'), MULTI_LABEL),
            "19: comparison[0].select_by: metric 'hits' is not defined for 'ChestMNIST",
        ),
        (
            ((TABLE, f'{TABLE}select_by = "seconds"\n'),),
            "19: comparison[0].select_by: metric 'seconds' reads the record of a finished result; epochs are chosen by",
        ),
    ],
)
def test_what_no_epoch_can_be_chosen_by(changes: tuple[tuple[str, str], ...], told: str, plan_with: PlanOf) -> None:
    with pytest.raises(SuiteError) as caught:
        plan_with(*changes)
    (problem,) = str(caught.value).splitlines()
    assert told in problem


def test_a_name_of_another_number_in_histories_is_refused(plan_with: PlanOf) -> None:
    with pytest.raises(SuiteError, match="metric 'epoch' has the name of another number"):
        plan_with((TABLE, f'{TABLE}select_by = "epoch"\n'), name="epoch")


def test_an_evaluator_with_a_rule_of_its_own_is_refused(plan_of: PlanOf, monkeypatch: pytest.MonkeyPatch) -> None:
    from medssl_bench.evaluators.finetune import FineTune

    monkeypatch.setattr(FineTune, "follows_criterion", False)
    with pytest.raises(SuiteError, match=r"select_by: evaluator 'finetune' of arm 'scratch' chooses its epoch by a"):
        plan_of(changed(BY_AUROC))
    plan_of(SUITE)
