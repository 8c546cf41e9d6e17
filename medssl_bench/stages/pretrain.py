"""The pretrain stage: an encoder from unlabelled images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import torch
from torch import nn

from medssl_bench.datasets.budget import Budget
from medssl_bench.datasets.label_draws import draw_unlabelled
from medssl_bench.errors import StageError
from medssl_bench.methods.base import Method, MethodContext
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.registry import Registry
from medssl_bench.randomness import forked, stream
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.workshop import StageResult, Workshop
from medssl_bench.store.tensors import load_tensors, save_tensors
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.view_maker import ViewMaker


def pretrain(spec: Mapping[str, Any], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Pretrain an encoder.

    Args:
        spec: of a pretrain stage.
        workshop: what to work with.
        attempt: in whose folder to leave ``encoder.safetensors``, ``method.safetensors`` (what the method holds beside
            the encoder) and ``history.json``.

    Raises:
        StageError: the pretraining cannot be carried out.
    """
    data = workshop.dataset(spec["dataset"])
    places = draw_unlabelled(len(data.splits["train"]), Budget(**spec["images"]), spec["seed"])
    if len(places) < 2:
        raise StageError(f"{len(places)} unlabelled image(s) is too few to pretrain on")
    train = DeviceImages(data.splits["train"], workshop.device, places)
    val = DeviceImages(data.splits["val"], workshop.device)
    method = _method(spec, workshop, len(places))
    views = ViewMaker(
        method.views(),
        Component.from_data(spec["augmentation"]),
        spec["view_size"],
        workshop.registry,
        workshop.device,
        spec["seed"],
    )
    optimizer, schedule = (component_of(workshop.registry, kind, spec[kind]) for kind in ("optimizer", "schedule"))
    training = Pretraining(
        method,
        train,
        val,
        views,
        {**spec, "optimizer": optimizer.parameters, "schedule": schedule.parameters},
        attempt.report,
        attempt.checkpoints,
        optimizer=lambda groups, recorded: workshop.registry.build(optimizer, groups=groups, recorded=recorded),
        schedule=workshop.registry.build(schedule),
    )
    result = training.run()

    save_tensors(method.encoder.state_dict(), attempt.folder / "encoder.safetensors")
    rest = {name: value for name, value in method.state_dict().items() if not name.startswith("encoder.")}
    save_tensors(rest, attempt.folder / "method.safetensors")
    (attempt.folder / "history.json").write_text(json.dumps(result.history, indent=1) + "\n", "utf-8")
    last = result.history[-1]
    return StageResult(
        metrics={
            **last,
            "epochs": len(result.history),
            "epoch_kept": result.epoch,
            "images": len(places),
            "batch_size": training.length.batch,
            "validation_batch_size": min(training.length.batch, len(val)),
        },
        images_seen=result.images_seen,
        headline={name: value for name, value in last.items() if name in {"loss", "top1", "val_top1"}},
    )


def component_of(registry: Registry, kind: str, data: dict[str, Any]) -> Component:
    """Return the optimizer or the schedule of a spec; records of older versions have its name and parameters alone."""
    return Component.from_data(data) if "parameters" in data else registry.resolve_or_raise(kind, data)


def _method(spec: Mapping[str, Any], workshop: Workshop, images: int) -> Method:
    """Return the method around the encoder that the pretraining starts from, on the device."""
    encoder = workshop.encoder(spec["encoder"], spec["start"])
    teacher = _teacher(spec["teacher"], workshop) if spec["teacher"] else None
    context = MethodContext(spec["view_size"], images, teacher)
    with forked(stream("method weights", seed=spec["seed"])):
        method = workshop.registry.build(Component.from_data(spec["method"]), encoder=encoder, context=context)
    if not isinstance(method, Method):
        raise StageError(f"method {spec['method']['name']!r} gave {type(method).__name__}, not a Method")
    method.to(workshop.device).to(memory_format=torch.channels_last)
    return method


def _teacher(key: str, workshop: Workshop) -> nn.Module:
    """Return a trained arm, images in [0, 1] to logits, frozen and in evaluation mode."""
    encoder = workshop.encoder(None, key)
    weights = load_tensors(workshop.store.checked(key, "head.safetensors"))
    head = nn.utils.skip_init(nn.Linear, weights["weight"].shape[1], weights["weight"].shape[0])
    head.load_state_dict(weights)
    return _Frozen(encoder, head.to(workshop.device)).eval().requires_grad_(requires_grad=False)


class _Frozen(nn.Sequential):
    """Stays in evaluation mode, also as a part of a method that is trained: its batch statistics must not move."""

    def train(self, mode: bool = True) -> Self:  # noqa: ARG002 - torch's signature
        return super().train(mode=False)
