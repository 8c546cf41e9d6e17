"""The order of the stages in which trained classifiers predict other images: those that share work stand together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medssl_bench.plan.kinds.evaluate import EvaluateSpec

if TYPE_CHECKING:
    from medssl_bench.plan.stage import Plan, Stage


def arrange_retests(plan: Plan) -> None:
    """Bring these stages to the end, those of one corruption together, and of these those of one encoder.

    So a worker corrupts images once, and computes the features of an encoder once for all probes on it. The stages
    after the first then have no such work.
    """
    again = {found.stage for found in plan.retests}
    groups: dict[str, dict[str, list[Stage]]] = {}
    for stage in [stage for key, stage in plan.stages.items() if key in again]:
        groups.setdefault(_images(stage), {}).setdefault(_encoder(plan, stage), []).append(stage)
        del plan.stages[stage.key]
    for by_encoder in groups.values():
        for stages in by_encoder.values():
            for place, stage in enumerate(stages):
                plan.stages[stage.key] = _without_features(stage) if place else stage


def _images(stage: Stage) -> str:
    """Return which images a stage predicts."""
    told = stage.identity.get("corruption", "")
    return f"{stage.kind} {told} {stage.spec.dataset.key}"


def _encoder(plan: Plan, stage: Stage) -> str:
    """Return what the encoder of a stage's classifier is: the stage that left it, or how it was first made."""
    (parent,) = stage.parents
    spec = plan.spec(parent, EvaluateSpec)
    if spec.trains_encoder:
        return parent
    return spec.start or (str(spec.encoder.identity()) if spec.encoder else "")


def _without_features(stage: Stage) -> Stage:
    work = None if stage.work is None else {"stage": 1.0}
    return replace(stage, work=work, speed_group=f"{stage.speed_group} again")
