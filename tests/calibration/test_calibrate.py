"""The real measurements, on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from medssl_bench.calibration import stages, training, views
from medssl_bench.calibration.bench import Bench, Enough, Timer, bench, line
from medssl_bench.costs.units import cost_of
from medssl_bench.plugin.manager import load_plugins


@pytest.fixture(scope="module")
def made() -> Iterator[Bench]:
    with bench(load_plugins(), torch.device("cpu")) as found:
        yield found


def test_two_points_make_a_line() -> None:
    assert line("step", "image", (10, 1.5), (20, 2.5)) == {"image": 0.1, "step": 0.5}
    assert line("step", "image", (10, 2.0), (20, 1.0)) == {"image": 0.0, "step": 2.0}, "noise makes no negative cost"
    assert line("step", "image", (10, 1.0), (20, 4.0))["step"] == 0


@pytest.mark.parametrize(("seconds", "times"), [(0.01, 101), (0.5, 5), (1.4, 5), (3.0, 3), (20.0, 2)])
def test_what_is_slow_is_timed_less_often(seconds: float, times: int) -> None:
    timer = Timer(least=4, most_seconds=1.5, most=100)
    for _ in range(times - 1):
        timer.add(seconds)
    with pytest.raises(Enough):
        timer.add(seconds)
    assert timer.low() == seconds


def test_every_augmentation_and_op_that_needs_no_parameters_is_measured(made: Bench) -> None:
    found = views.views(made)
    assert {"view:simclr", "view:plain", "view:tau_nat", "op:gaussian_blur", "op:horizontal_flip"} <= found.keys()
    assert "view:sequence" not in found, "it needs a list"
    assert found["view:simclr"] > found["view:plain"]


def test_a_probe_and_a_look_cost_something(made: Bench) -> None:
    found = training.probe(made) | training.look(made)
    assert found.keys() == {"probe epoch", "probe step", "look", "looked-at image"}
    assert all(cost >= 0 for cost in found.values())
    assert sum(found.values()) > 0


@pytest.mark.slow
def test_a_step_of_pretraining_costs_more_than_a_look_at_its_images(made: Bench) -> None:
    learning, looking = training._pretraining_step(made, "float32", 32), training.forward(made)
    assert learning > 32 * 2 * looking["forward image:float32"]


@pytest.mark.slow
def test_stages_run_for_real(made: Bench) -> None:
    found = stages.stages(made)
    assert found.keys() == {"stage", "encoder made", "encoder kept", "start"}
    assert all(0 < cost < 60 for cost in found.values())
    assert all(cost_of(unit, {}) > 0 for unit in found), "each is a unit"
    records = [record.kind for record in made.workshop.store.records()]
    assert "evaluate" in records
    assert "pretrain" in records
