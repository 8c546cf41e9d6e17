"""How long stages are expected to take, and on what that rests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan.conftest import SUITE, PlanOf, changed, of_kind, stage_of

from medssl_bench.costs.machine import device_text, this_machine
from medssl_bench.costs.measured import Calibration
from medssl_bench.costs.units import ROUGH, seconds
from medssl_bench.plan.estimates import Estimate, Estimates
from medssl_bench.plan.stage import Stage
from medssl_bench.store.record import Record

CPU = device_text("cpu")
HERE = {"device": CPU, "threads": 2, "host": this_machine().host, "time": "2026-03-01T10:00:00+00:00"}


def _record(stage: Stage, took: float, provenance: dict[str, Any] | None = None, **cost: Any) -> Record:
    cost = {"wall_seconds": took, "speed_group": stage.speed_group, "work": stage.work, **cost}
    record = Record(stage.key, stage.kind, stage.title, "done", stage.identity, cost=cost)
    return replace(record, provenance=HERE if provenance is None else provenance)


def _calibrated(cache: Path, factor: float, device: str = CPU) -> Path:
    """Keep a calibration of this machine by which all takes some times as long as roughly."""
    Calibration.of(device, 2, {unit: factor * cost for unit, cost in ROUGH.items()}).write(cache)
    return cache


def _of(stage: Stage, records: Iterable[Record] = (), cache: Path | None = None, device: str = "auto") -> Estimate:
    found = Estimates(records, cache, device).of(stage)
    assert found is not None
    return found


def test_a_new_plan_is_rough(plan_of: PlanOf, tmp_path: Path) -> None:
    for stage in plan_of(SUITE).stages.values():
        assert stage.work is not None
        found = _of(stage, cache=tmp_path)
        assert found == Estimate(seconds(stage.work, {}), "rough")
        assert found.seconds > 0


def test_a_calibration_counts_before_the_constants(plan_of: PlanOf, tmp_path: Path) -> None:
    for stage in plan_of(SUITE).stages.values():
        found = _of(stage, cache=_calibrated(tmp_path, 3.0))
        assert (found.seconds, found.basis) == (pytest.approx(3 * _of(stage).seconds), "calibrated")


def test_records_count_before_a_calibration(plan_of: PlanOf, tmp_path: Path) -> None:
    plan = plan_of(SUITE, seeds=(0, 1, 2, 3))
    first, second, third, other = of_kind(plan, "pretrain")
    records = [_record(first, 100.0), _record(second, 300.0), _record(third, 120.0)]
    found = _of(other, records, _calibrated(tmp_path, 3.0))
    assert (found.seconds, found.basis) == (pytest.approx(120.0), "measured"), "the median"


@pytest.mark.parametrize(
    ("change", "factor"),
    [(("epochs = 10\n", "epochs = 30\n"), 3), (("epochs = 10\n", "epochs = 10\nimages = 5888\n"), 23 / 46)],
)
def test_a_record_tells_of_more_or_less_work(change: tuple[str, str], factor: float, plan_of: PlanOf) -> None:
    (done,) = of_kind(plan_of(SUITE), "pretrain")
    (stage,) = of_kind(plan_of(changed(change)), "pretrain")
    assert _of(stage, [_record(done, 1000.0)]).seconds == pytest.approx(1000 * factor, rel=0.15), "but for validation"


@pytest.mark.parametrize(
    "change",
    [
        ('encoder = "resnet18"', 'encoder = "resnet50"'),
        ('encoder = "resnet18"', 'encoder = { name = "resnet18", stem = "small" }'),
        ("epochs = 10\n", "epochs = 10\nview_size = 64\n"),
        ("epochs = 10\n", 'epochs = 10\nprecision = "bfloat16"\n'),
        ('augmentation = "simclr"', 'augmentation = "plain"'),
        ('augmentation = "simclr"', 'augmentation = ["horizontal_flip"]'),
    ],
)
def test_what_is_another_encoder_size_precision_or_augmentation_is_not_alike(
    change: tuple[str, str], plan_of: PlanOf
) -> None:
    (done,) = of_kind(plan_of(SUITE), "pretrain")
    (stage,) = of_kind(plan_of(changed(change)), "pretrain")
    assert _of(stage, [_record(done, 10.0)]).basis == "rough"


def test_lists_of_other_ops_are_not_alike(plan_of: PlanOf) -> None:
    flips, blurs = (
        of_kind(plan_of(changed(('"simclr"\nepochs', f'["{op}"]\nepochs'))), "pretrain")[0]
        for op in ("horizontal_flip", "gaussian_blur")
    )
    assert flips.speed_group != blurs.speed_group
    assert {"op:horizontal_flip"} == {unit for unit in flips.work or {} if unit.startswith("op:")}


def test_records_of_the_most_similar_work_count(plan_of: PlanOf) -> None:
    """Those of 100 labels were slow, for their work; of all labels, fast."""
    plan = plan_of(SUITE, draws=tuple(range(7)))
    few = [stage for stage in of_kind(plan, "evaluate") if "scratch · 100 labels" in stage.title]
    (many,) = (stage for stage in of_kind(plan, "evaluate") if "scratch · all labels" in stage.title)
    (more,) = (
        stage
        for stage in of_kind(plan_of(changed(('[100, "all"]', '[100, "all", "90%"]'))), "evaluate")
        if "scratch · 90% labels" in stage.title
    )
    assert len(few) == 7
    slow = [_record(stage, 10 * _of(stage).seconds) for stage in few]
    assert _of(few[0], slow).seconds == pytest.approx(10 * _of(few[0]).seconds)
    fast = [_record(replace(many, key=f"{place}" * 64), _of(many).seconds / 2) for place in range(5)]
    assert _of(more, slow + fast).seconds == pytest.approx(_of(more).seconds / 2)


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"device": "cpu: Another Processor, 64 cores"},
        {"device": CPU.replace("cores", "cores more")},
        {"device": "cuda: NVIDIA H100", "host": "another host"},
        {"device": device_text("mps")},
        {"threads": 1},
    ],
)
def test_records_of_another_machine_device_or_number_of_threads_do_not_count(
    elsewhere: dict[str, Any], plan_of: PlanOf, tmp_path: Path
) -> None:
    (stage,) = of_kind(plan_of(SUITE), "pretrain")
    records = [_record(stage, 10.0, {**HERE, **elsewhere})]
    assert _of(stage, records, _calibrated(tmp_path, 1.0)).basis == "calibrated"
    assert _of(stage, records, device="cpu").basis == ("measured" if "threads" in elsewhere else "rough")
    assert _of(stage, [*records, _record(stage, 20.0)], tmp_path).seconds == pytest.approx(20.0)


def test_of_a_cluster_the_records_of_its_machines_count_and_the_calibration_of_this_one_does_not(
    plan_of: PlanOf, tmp_path: Path
) -> None:
    (stage,) = of_kind(plan_of(SUITE), "pretrain")
    node = {"device": "cuda: NVIDIA H100", "host": "node7", "threads": 8, "time": "2026-04-01T10:00:00+00:00"}
    records = [_record(stage, 10.0, node), _record(stage, 500.0, {**HERE, "time": "2026-03-01T10:00:00+00:00"})]
    cache = _calibrated(tmp_path, 1.0)
    found = Estimates(records, cache, elsewhere=True).of(stage)
    assert found is not None
    assert found.seconds == pytest.approx(10.0)
    on_processors = Estimates(records, cache, "cpu", elsewhere=True).of(stage)
    assert on_processors is not None
    assert on_processors.seconds == pytest.approx(500.0)
    unknown = Estimates((), cache, elsewhere=True).of(stage)
    assert unknown is not None
    assert unknown.basis == "rough"


def test_without_a_calibration_the_device_that_was_used_last_counts(plan_of: PlanOf) -> None:
    (stage,) = of_kind(plan_of(SUITE), "pretrain")
    gpu = {**HERE, "device": "cuda: NVIDIA H100", "time": "2026-04-01T10:00:00+00:00"}
    records = [_record(stage, 10.0, gpu), _record(stage, 500.0)]
    assert _of(stage, records).seconds == pytest.approx(10.0)
    assert _of(stage, records, device="cpu").seconds == pytest.approx(500.0)
    assert _of(stage, records, device="cuda:1").seconds == pytest.approx(10.0)


def test_a_record_that_says_nothing_of_its_machine_counts(plan_of: PlanOf) -> None:
    (stage,) = of_kind(plan_of(SUITE), "pretrain")
    assert _of(stage, [_record(stage, 10.0, {})]) == Estimate(pytest.approx(10.0), "measured")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cost",
    [
        {"work": None}, {"work": []}, {"work": {"unit of a newer version": 3}}, {"work": {"stage": "many"}},
        {"work": {}}, {"work": {"stage": float("nan")}}, {"wall_seconds": 0}, {"wall_seconds": None},
        {"speed_group": None}, {"wall_seconds": True}, {"work": {"stage": -1}},
    ],
)  # fmt: skip
def test_a_record_that_tells_nothing_of_speed_is_left_out(cost: dict[str, Any], plan_of: PlanOf) -> None:
    (stage,) = of_kind(plan_of(SUITE), "pretrain")
    assert _of(stage, [_record(stage, 10.0, **cost)]).basis == "rough"


def test_a_calibration_of_another_device_does_not_count(plan_of: PlanOf, tmp_path: Path) -> None:
    (stage,) = of_kind(plan_of(SUITE), "pretrain")
    _calibrated(tmp_path, 2.0, device="cuda: NVIDIA H100")
    assert _of(stage, cache=tmp_path, device="cuda:0").basis == "calibrated"
    estimates = Estimates((), tmp_path, "cpu")
    assert "another device (cuda: NVIDIA H100)" in estimates.problem
    found = estimates.of(stage)
    assert found is not None
    assert found.basis == "rough"


def test_what_has_not_been_seen_has_no_estimate(plan_of: PlanOf) -> None:
    text = changed(('["bloodmnist"]', '["own"]')) + '[dataset.own]\nname = "npz"\npath = "own.npz"\n'
    stages = [stage for stage in plan_of(text).stages.values() if stage.kind != "analyse"]
    assert stages
    assert all(Estimates(()).of(stage) is None for stage in stages)


def test_huge_plans_have_an_estimate_too(plan_of: PlanOf) -> None:
    (stage,) = of_kind(plan_of(changed(("epochs = 10\n", f"epochs = {2**63 - 1}\n"))), "pretrain")
    assert _of(stage).seconds > 1e15


def test_a_probe_is_not_for_nothing(plan_of: PlanOf) -> None:
    plan = plan_of(SUITE)
    few, many = (_of(stage_of(plan, arm="probed", labels=labels)).seconds for labels in ("100", "all"))
    assert 0 < few < many
