"""The suites of this repository: each can be planned before any data is there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from medssl_bench.datasets import DatasetContext
from medssl_bench.plan.build import build_plan
from medssl_bench.plan.stage import Plan
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.suite.suite import Suite

_WITHOUT_PRETRAINING = {"patients.toml", "medmnist-v2.toml", "medmnist-plus.toml"}
"""The first compares splits, the others are baselines."""

SUITES = Path(__file__).parents[2] / "suites"


def _plan(name: str, data: Path) -> Plan:
    return build_plan(Suite.load(SUITES / name), DatasetContext(data / "data", data / "cache"))


@pytest.mark.parametrize("name", sorted(path.name for path in SUITES.glob("*.toml")))
def test_it_can_be_planned_without_data(name: str, tmp_path: Path) -> None:
    plan = _plan(name, tmp_path)
    assert plan.trials
    assert not any(stage.pending for stage in plan.stages.values())
    titles = [stage.title for stage in plan.stages.values() if stage.kind == "pretrain"]
    assert len(titles) == len(set(titles))
    assert bool(titles) == (name not in _WITHOUT_PRETRAINING)


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


@pytest.mark.parametrize(("name", "number"), [("transfer.toml", 6), ("balancing.toml", 1), ("equalisation.toml", 2)])
def test_a_suite_with_the_recipes_of_the_thesis_shares_its_pretrainings(name: str, number: int, tmp_path: Path) -> None:
    thesis = _plan("thesis.toml", tmp_path)
    of_seed_0 = [key for key, s in _plan(name, tmp_path).stages.items() if s.kind == "pretrain" and s.spec.seed == 0]
    assert len(set(of_seed_0) & thesis.stages.keys()) == number


def test_the_laptop_version_is_scaled_and_needs_no_large_set(tmp_path: Path) -> None:
    plan = _plan("thesis-laptop.toml", tmp_path)
    assert plan.epochs_scale == 0.1
    assert set(plan.datasets) <= {"derma", "blood", "retina", "pneumonia"}
    assert len({trial.table for trial in plan.trials}) == 7


def _multiply_adds(size: int) -> int:
    """Return those of the convolutions of ResNet-18 for one image."""
    registry = load_plugins().registry
    encoder = registry.build(registry.resolve("encoder", "resnet18", Path()), size=size).eval()
    counted: list[int] = []
    for layer in encoder.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(
                lambda conv, _input, out: counted.append(out.shape[2] * out.shape[3] * conv.weight.numel())
            )
    encoder(torch.zeros(1, 3, size, size))
    return sum(counted)


def test_equal_compute_is_as_many_multiply_adds(tmp_path: Path) -> None:
    plan = _plan("resolution.toml", tmp_path)
    stages = {stage.title: stage for stage in plan.stages.values() if stage.kind == "pretrain"}
    compute = {size: stages[f"pretrain · compute · px{size} · seed 0"] for size in (28, 64, 128, 224)}
    spent = [_multiply_adds(size) * (stage.images or 0) for size, stage in compute.items()]
    assert spent == pytest.approx([spent[0]] * 4, rel=2e-3)
    assert all(stage.spec.view_size == size for size, stage in compute.items())
    smaller = stages["pretrain · small-views · px224 · seed 0"]
    assert (smaller.spec.view_size, smaller.images) == (64, compute[64].images)
    others = [stages[f"pretrain · images · px{size} · seed 0"].images for size in (28, 64, 128)]
    assert others == [compute[224].images] * 3
