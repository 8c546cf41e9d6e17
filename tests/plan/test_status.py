"""Where stages stand, why they are to run, and how long they are expected to take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from leased import leased
from plan.conftest import SUITE, PlanOf, changed, of_kind, stage_of

from medssl_bench.plan.stage import Plan, Stage
from medssl_bench.plan.status import StageStatus, look
from medssl_bench.store.record import Record
from medssl_bench.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    made.prepare()
    return made


def _record(stage: Stage, **values: Any) -> Record:
    return Record(stage.key, stage.kind, stage.title, "done", stage.identity, **values)


def _finish(store: Store, stages: Iterable[Stage]) -> None:
    for stage in stages:
        with leased(store, stage.key) as lease:
            store.finish(_record(stage), lease)


def _by_status(statuses: list[StageStatus]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for status in statuses:
        found.setdefault(status.status, set()).add(status.stage.kind)
    return found


def _status(plan: Plan, store: Store, stage: Stage) -> StageStatus:
    (found,) = [status for status in look(plan, store) if status.stage is stage]
    return found


def test_a_new_plan_is_to_run_in_the_plans_order(plan_of: PlanOf, tmp_path: Path) -> None:
    plan = plan_of(SUITE)
    statuses = look(plan, Store(tmp_path / "nothing"))
    assert [status.stage.key for status in statuses] == list(plan.stages)
    assert _by_status(statuses) == {"to run": {"pretrain", "embed", "evaluate"}}
    assert all(status.runs and status.why == "" and status.seconds is not None for status in statuses)
    assert not (tmp_path / "nothing").exists(), "looking makes nothing"


def test_what_is_done_is_done(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of(SUITE)
    _finish(store, plan.stages.values())
    statuses = look(plan, store)
    assert {status.status for status in statuses} == {"done"}
    assert not any(status.runs for status in statuses)


def test_what_nobody_needs_any_more_is_not_done_again(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of(SUITE)
    _finish(store, of_kind(plan, "evaluate"))
    assert _by_status(look(plan, store)) == {"done": {"evaluate"}, "not needed": {"pretrain", "embed"}}
    more = plan_of(changed(('[100, "all"]', '[100, 250, "all"]')))
    found = _by_status(look(more, store))
    assert found["to run"] == {"evaluate", "embed", "pretrain"}


def test_what_failed_says_why_and_blocks_what_builds_on_it(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of(SUITE)
    (pretrained,) = of_kind(plan, "pretrain")
    with leased(store, pretrained.key) as lease:
        store.fail(replace(_record(pretrained), status="failed", reason="out of memory"), "Traceback ...", lease)
    status = _status(plan, store, pretrained)
    assert (status.status, status.why, status.runs) == ("failed", "out of memory", False)
    statuses = {status.stage.key: status for status in look(plan, store)}
    above = [status for status in statuses.values() if pretrained.key in status.stage.parents]
    assert {status.status for status in above} == {"blocked"}
    assert not any(status.runs for status in above)
    assert all(status.is_wanted for status in (*above, statuses[pretrained.key]))
    _finish(store, [pretrained])
    assert _status(plan, store, pretrained).status == "done"


def test_pending_stages_have_no_estimate(plan_of: PlanOf, store: Store) -> None:
    text = changed(('["bloodmnist"]', '["own"]')) + '[dataset.own]\nname = "npz"\npath = "own.npz"\n'
    statuses = look(plan_of(text), store)
    assert {status.status for status in statuses} == {"pending"}
    assert all(status.runs and status.why == "its data has not been seen" for status in statuses)
    assert all(status.seconds is None for status in statuses if status.stage.kind != "analyse")


@pytest.mark.parametrize(
    ("change", "kind", "why"),
    [
        (("epochs = 10\n", "epochs = 20\n"), "pretrain", "duration.epochs: 10 -> 20"),
        (("epochs = 10\n", "epochs = 20\n"), "embed", "what it builds on has changed"),
        (("epochs = 10\n", "steps = 20\n"), "pretrain", "duration.epochs: 10 -> null; duration.steps: null -> 20"),
        (("epochs = 10\n", "epochs = 10\nbatch_size = 64\n"), "pretrain", "batch_size: 256 -> 64"),
        (('evaluator = "linear_probe"', 'evaluator = { name = "linear_probe", lr = 1 }'), "evaluate",
         "evaluator.parameters.lr: 0.001 -> 1"),
        (('augmentation = "simclr"', 'augmentation = "plain"'), "pretrain", 'augmentation.name: "simclr" -> "plain"; '),
        (('"simclr"\nencoder', '{ name = "simclr", hidden = 2, projection = 3, temperature = 4 }\nencoder'), "pretrain",
         "method.parameters.hidden: 1000 -> 2; method.parameters.projection: 128 -> 3; method.parameters.temperatu"),
        (("epochs = 10\n", 'epochs = 9\nbatch_size = 9\nkeep = "best"\nvalidate_every = 9\n'), "pretrain",
         'batch_size: 256 -> 9; duration.epochs: 10 -> 9; keep: "last" -> "best"; and 1 more'),
    ],
)  # fmt: skip
def test_why_something_is_stale(change: tuple[str, str], kind: str, why: str, plan_of: PlanOf, store: Store) -> None:
    _finish(store, plan_of(SUITE).stages.values())
    found = [s for s in look(plan_of(changed(change)), store) if s.stage.kind == kind and s.status == "to run"]
    assert found
    assert any(status.why.startswith(why) for status in found)


def test_what_is_new_is_not_called_stale(plan_of: PlanOf, store: Store) -> None:
    _finish(store, plan_of(SUITE).stages.values())
    new = [status for status in look(plan_of(SUITE, seeds=(0, 1)), store) if status.runs]
    assert new
    assert {status.why for status in new} == {""}


def test_a_result_whose_files_are_damaged_is_to_run(plan_of: PlanOf, store: Store) -> None:
    plan = plan_of(SUITE)
    stage = stage_of(plan, arm="scratch", labels="100")
    with leased(store, stage.key) as lease:
        (lease.files / "predictions.npz").write_bytes(b"12345")
        store.finish(_record(stage), lease)
    assert _status(plan, store, stage).status == "done"
    file = store.folder(stage.key) / "predictions.npz"
    file.write_bytes(b"123")
    found = _status(plan, store, stage)
    assert (found.status, found.why) == ("to run", "its result is damaged: predictions.npz has 3 bytes, not 5")
    file.unlink()
    assert _status(plan, store, stage).why == "its result is damaged: predictions.npz is missing"


@pytest.mark.parametrize("newest", [2, 5])
def test_the_newest_of_older_results_says_what_has_changed(newest: int, plan_of: PlanOf, store: Store) -> None:
    stage = stage_of(plan_of(SUITE), arm="scratch", labels="100")
    for number in range(8):
        when = "2026-03-01" if number == newest else "2026-02-01"
        record = replace(
            _record(stage, provenance={"time": f"{when}T10:00:00+00:00"}),
            key=f"{number:x}" * 64,
            identity={**stage.identity, "seed": 100 + number},
        )
        with leased(store, record.key) as lease:
            store.finish(record, lease)
    plan = plan_of(SUITE)
    found = _status(plan, store, stage_of(plan, arm="scratch", labels="100"))
    assert found.why == f"seed: {100 + newest} -> 0"
