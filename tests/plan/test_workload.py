"""How much work an evaluation is."""

from __future__ import annotations

from typing import Any

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
