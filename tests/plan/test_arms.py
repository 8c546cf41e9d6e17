"""A plan by arm: each stage is counted once, and what an arm shares with one above is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from leased import leased
from plan.conftest import PlanOf, changed, of_kind

from medssl_bench.plan.arms import ArmPlan, by_arm
from medssl_bench.plan.stage import Plan
from medssl_bench.plan.status import look
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store

TABLE = 'baseline = "tuned"\n'


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    made.prepare()
    return made


def _arms(plan: Plan, store: Store) -> dict[tuple[str, str], ArmPlan]:
    return {(arm.table, arm.arm): arm for arm in by_arm(plan, look(plan, store))}


def test_every_stage_is_counted_once(plan_of: PlanOf, store: Store) -> None:
    text = changed((TABLE, f'{TABLE}analyses = ["silhouette"]\n'), ("draws = [0]", "draws = [0, 1]"))
    second = text[text.index("[[comparison]]") :].replace('"table"', '"again"').replace("linear_probe", "knn")
    plan = plan_of(text + second)
    arms = by_arm(plan, look(plan, store))
    counted = [status.stage.key for arm in arms for status in arm.stages]
    assert sorted(counted) == sorted(plan.stages)
    assert sum(len(arm.runs) for arm in arms) == len(plan.stages)


def test_what_is_shared_is_counted_at_the_first(plan_of: PlanOf, store: Store) -> None:
    arms = _arms(plan_of(changed()), store)
    assert {arm: (found.results, len(found.stages), found.shared) for (_, arm), found in arms.items()} == {
        "majority class": (1, 1, 0),
        "untrained encoder": (2, 3, 0),  # its features, and a probe for each budget
        "scratch": (2, 2, 0),
        "probed": (2, 4, 0),  # a pretraining, its features, two probes
        "tuned": (2, 2, 1),  # the pretraining
    }


def test_a_second_comparison_of_the_same_arms_has_nothing_to_do(plan_of: PlanOf, store: Store) -> None:
    text = changed()
    plan = plan_of(text + text[text.index("[[comparison]]") :].replace('"table"', '"again"'))
    again = {arm: found for (table, arm), found in _arms(plan, store).items() if table == "again"}
    assert all(not found.stages for found in again.values())
    assert {arm: found.shared for arm, found in again.items()} == {
        "majority class": 1, "untrained encoder": 3, "scratch": 2, "probed": 4, "tuned": 3,
    }  # fmt: skip


def test_what_is_done_failed_and_blocked_is_told_apart(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of(changed())
    (pretrained,) = of_kind(plan, "pretrain")
    with leased(store, pretrained.key) as lease:
        store.fail(Record(pretrained.key, "pretrain", pretrained.title, "failed", pretrained.identity), "", lease)
    scratch = next(trial.stage for trial in plan.trials if trial.arm == "scratch")
    with leased(store, scratch) as lease:
        stage = plan.stages[scratch]
        store.finish(Record(scratch, "evaluate", stage.title, "done", stage.identity), lease)
    arms = {arm: found for (_, arm), found in _arms(plan, store).items()}
    assert (arms["scratch"].count("done"), len(arms["scratch"].runs)) == (1, 1)
    assert (arms["probed"].count("failed"), arms["probed"].count("blocked"), arms["probed"].runs) == (1, 3, [])
    assert (arms["tuned"].count("failed"), arms["tuned"].count("blocked"), arms["tuned"].shared) == (0, 2, 1)
