"""How much work an evaluation is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from medssl_bench.plan.workload import Images, evaluation_work, speed_group
from medssl_bench.plugin.manager import load_plugins

REGISTRY = load_plugins().registry
ENCODER = REGISTRY.resolve_or_raise("encoder", "resnet18")


def _probe(**parameters: Any) -> tuple[dict[str, float], str]:
    component = REGISTRY.resolve_or_raise("evaluator", {"name": "linear_probe", "epochs": 10, **parameters})
    work = evaluation_work(REGISTRY.build(component), component, ENCODER, 28, Images(100, 20, 50))
    return work, speed_group("evaluate", component, ENCODER, 28)


def test_a_probe_with_an_optimizer_is_trained_by_itself_which_is_more_work() -> None:
    usual, group = _probe()
    assert usual["probe step"] == 10 * 2, "batches of 64"
    with_schedule, same_group = _probe(schedule="cosine")
    assert (with_schedule, same_group) == (usual, group), "a schedule costs nothing"
    alone, own_group = _probe(optimizer="sgd")
    assert alone["probe step"] > usual["probe step"]
    assert {**alone, "probe step": 0} == {**usual, "probe step": 0}
    assert own_group != group, "records of packed probes say nothing of it"


def test_passes_of_other_views_and_images_count(monkeypatch: pytest.MonkeyPatch) -> None:
    component = REGISTRY.resolve_or_raise("evaluator", {"name": "finetune", "epochs": 10, "augmentation": "simclr"})
    evaluator, images = REGISTRY.build(component), Images(100, 20, 50)
    once = evaluation_work(evaluator, component, ENCODER, 28, images)
    passes = evaluator.passes
    monkeypatch.setattr(type(evaluator), "passes", lambda _, train: replace(passes(train), per_image=3))
    often = evaluation_work(evaluator, component, ENCODER, 28, images)
    tripled = {"finetune image:float32", "view:simclr"}
    assert {name for name in once if often[name] != once[name]} == tripled
    assert all(often[name] == pytest.approx(3 * once[name]) for name in tripled)
