"""Work of a method, as its plugin counts it: in plans, and in durations of equal compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from plan.conftest import changed, of_kind

from medssl_bench.datasets import DatasetContext
from medssl_bench.errors import SuiteError
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.stage import Plan
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.suite import Suite

PLUGIN = """\
from medssl_bench import hookimpl
from medssl_bench.methods import Passes


@hookimpl
def medssl_methods(register):
    register("usual", method)
    register("queued", method, work=lambda parameters, size: Passes(((size, 1),), ((size, 1),), views=((size, 2),)))
    register("broken", method, work=lambda parameters, size: Passes(((size, 1 / 0),)))
    register("odd", method, work=lambda parameters, size: 4)
    register("idle", method, work=lambda parameters, size: Passes(()))


def method(encoder, context):
    \"\"\"A method that is only planned.\"\"\"
    raise NotImplementedError
"""


def _plan(tmp_path: Path, method: str, duration: str = "epochs = 10", top: str = "", **selected: Any) -> Plan:
    (tmp_path / "mine.py").write_text(PLUGIN, "utf-8")
    text = changed(
        ('name = "small"\n', f'name = "small"\nplugins = ["mine.py"]\n{top}'),
        ('method = "simclr"', f'method = "{method}"'),
        ("epochs = 10", duration),
    )
    (tmp_path / "suite.toml").write_text(text, "utf-8")
    suite = Suite.load(tmp_path / "suite.toml", load_plugins())
    return build_plan(suite, DatasetContext(tmp_path / "data", tmp_path / "cache"))


def _pretraining(plan: Plan) -> Any:
    (stage,) = of_kind(plan, "pretrain")
    return stage


def test_the_work_of_a_stage_follows_the_passes_of_its_method(tmp_path: Path) -> None:
    usual, queued = (_pretraining(_plan(tmp_path, name)).work for name in ("usual", "queued"))
    assert queued["pretrain image:float32"] == pytest.approx(usual["pretrain image:float32"] * 2 / 3)
    assert {**queued, "pretrain image:float32": 0} == {**usual, "pretrain image:float32": 0}, "two views, two forward"


def test_idle_methods_train_nothing(tmp_path: Path) -> None:
    work = _pretraining(_plan(tmp_path, "idle")).work
    assert work["pretrain image:float32"] == work["pretrain step:float32"] == work["forward image:float32"] == 0


def test_equal_compute_becomes_images_of_the_method(tmp_path: Path) -> None:
    compute = "compute_images = 120_000"
    usual, queued = (_pretraining(_plan(tmp_path, name, compute)) for name in ("usual", "queued"))
    assert usual.identity["duration"] == {"images_seen": 120_000}
    assert queued.identity["duration"] == {"images_seen": 180_000}
    unit = "pretrain image:float32"
    assert queued.work[unit] == pytest.approx(usual.work[unit])
    hand_written = _pretraining(_plan(tmp_path, "queued", "images_seen = 180_000"))
    assert hand_written.key == queued.key, "the same training is made once"


def test_equal_compute_by_data_set_and_scaled(tmp_path: Path) -> None:
    tables = "compute_images = { bloodmnist = 120_000, default = 10 }"
    stage = _pretraining(_plan(tmp_path, "queued", tables, top="epochs_scale = 0.1\n"))
    assert stage.identity["duration"] == {"images_seen": 18_000}


def test_a_schedule_is_scaled_as_its_duration(tmp_path: Path) -> None:
    stage = _pretraining(_plan(tmp_path, "queued", "compute_images = 120_000\nschedule = { warmup = 1000 }"))
    assert stage.spec.schedule.parameters["warmup"] == 1500


@pytest.mark.parametrize(
    ("method", "duration", "where", "message"),
    [
        ("broken", "epochs = 10", "method", "its `work` cannot be counted: ZeroDivisionError: division by zero"),
        ("odd", "epochs = 10", "method", "its `work` gives 4, not medssl_bench.methods.Passes"),
        ("idle", "compute_images = 9", "compute_images", "method 'idle' takes no work of the encoder; give epochs"),
    ],
)
def test_what_cannot_be_planned_is_one_line(
    method: str, duration: str, where: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(SuiteError) as caught:
        _plan(tmp_path, method, duration)
    (problem,) = caught.value.problems
    assert f"pretraining.nat.{where}: " in str(problem)
    assert message in str(problem)
