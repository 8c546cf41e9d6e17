"""The suites of this repository: each can be planned before any data is there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.stage import Plan
from medssl_bench.suite.suite import Suite

SUITES = Path(__file__).parents[2] / "suites"


def _plan(name: str, data: Path) -> Plan:
    return build_plan(Suite.load(SUITES / name), DatasetContext(data / "data", data / "cache"))


@pytest.mark.parametrize("name", sorted(path.name for path in SUITES.glob("*.toml")))
def test_it_can_be_planned_without_data(name: str, tmp_path: Path) -> None:
    plan = _plan(name, tmp_path)
    assert plan.trials
    assert not any(stage.pending for stage in plan.stages.values())
    titles = [stage.title for stage in plan.stages.values() if stage.kind == "pretrain"]
    assert len(titles) == len(set(titles)) > 0


def test_the_thesis_pretrains_what_experiments_share_once(tmp_path: Path) -> None:
    plan = _plan("thesis.toml", tmp_path)
    assert len({trial.table for trial in plan.trials}) == 7
    pretrained = sorted(stage.title for stage in plan.stages.values() if stage.kind == "pretrain")
    of_path = "nov · path · seed 0"
    assert pretrained == sorted(
        [
            f"pretrain · {recipe} · {data} · seed 0"
            for recipe in ("nat", "short", "nov")
            for data in ("path", "derma", "blood")
        ]
        + ["pretrain · nov · retina · seed 0"]
        + [f"pretrain · second · {data} · seed 0 after {of_path}" for data in ("derma", "retina")]
        + [f"pretrain · grey · {data} · seed 0" for data in ("oct", "tissue")]
    )


@pytest.mark.parametrize("name", ["thesis-as-run.toml", "thesis-phantom.toml"])
def test_a_version_of_the_thesis_has_its_shape_and_shares_no_training_with_it(name: str, tmp_path: Path) -> None:
    thesis, version = _plan("thesis.toml", tmp_path), _plan(name, tmp_path)
    assert Counter(s.kind for s in version.stages.values()) == Counter(s.kind for s in thesis.stages.values())
    shared = [s.title for key, s in version.stages.items() if s.kind == "pretrain" and key in thesis.stages]
    assert not shared


def test_the_questions_share_the_thesis_stages(tmp_path: Path) -> None:
    assert _plan("thesis.toml", tmp_path).stages.keys() <= _plan("thesis-questions.toml", tmp_path).stages.keys()


@pytest.mark.parametrize(("name", "number"), [("transfer.toml", 6), ("balancing.toml", 1)])
def test_a_suite_with_the_recipes_of_the_thesis_shares_its_pretrainings(name: str, number: int, tmp_path: Path) -> None:
    thesis = _plan("thesis.toml", tmp_path)
    of_seed_0 = [key for key, s in _plan(name, tmp_path).stages.items() if s.kind == "pretrain" and s.spec["seed"] == 0]
    assert len(of_seed_0) == number
    assert set(of_seed_0) <= thesis.stages.keys()


def test_the_laptop_version_is_scaled_and_needs_no_large_set(tmp_path: Path) -> None:
    plan = _plan("thesis-laptop.toml", tmp_path)
    assert plan.epochs_scale == 0.1
    assert set(plan.datasets) <= {"derma", "blood", "retina", "pneumonia"}
    assert len({trial.table for trial in plan.trials}) == 7


def test_every_size_of_the_resolution_suite_costs_the_same_compute(tmp_path: Path) -> None:
    stages = [s for s in _plan("resolution.toml", tmp_path).stages.values() if s.kind == "pretrain"]
    images = {(s.spec["view_size"], s.images) for s in stages}
    dearest = max(count * size**2 for size, count in images if count)
    equal = {size for size, count in images if count and count * size**2 > 0.99 * dearest}
    assert equal == {28, 64, 128, 224}
    assert sum(count == 373_700 for _, count in images) == 4
