"""The pretrain stage: an encoder from unlabelled images."""

from __future__ import annotations

import json
from typing import Self

import torch
from torch import Tensor, nn

from medssl_bench.costs.passes import encoder_passes
from medssl_bench.errors import StageError
from medssl_bench.methods.base import Method, MethodContext
from medssl_bench.methods.collapse import collapse_flags
from medssl_bench.methods.health import feature_flags
from medssl_bench.methods.work import passes_of
from medssl_bench.plan.kinds.pretrain import PretrainSpec
from medssl_bench.plan.stage import Stage
from medssl_bench.randomness import forked, stream
from medssl_bench.stages.attempt import Attempt
from medssl_bench.stages.pool import load_pool
from medssl_bench.stages.workshop import StageResult, Workshop
from medssl_bench.store.tensors import load_tensors, save_tensors
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.length import Length
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.view_maker import ViewMaker


def pretrain(stage: Stage[PretrainSpec], workshop: Workshop, attempt: Attempt) -> StageResult:
    """Pretrain an encoder.

    Args:
        stage: what to do.
        workshop: what to work with.
        attempt: in whose folder to leave ``encoder.safetensors``, ``method.safetensors`` (what the method holds beside
            the encoder, but for what the training alone needs) and ``history.json``.

    Raises:
        StageError: the pretraining cannot be carried out.
    """
    spec = stage.spec
    assert spec.view_size is not None, "the data was seen before this was planned"
    pool = load_pool(spec, workshop)
    places = pool.learned
    if len(places) < 2:
        raise StageError(f"{len(places)} unlabelled image(s) is too few to pretrain on")
    train = DeviceImages(pool.images, workshop.device, places)
    val = DeviceImages(pool.watched, workshop.device, pool.watched_places)
    length = Length.of(spec.duration, len(places), spec.batch_size)
    method = _method(spec, workshop, train, length)
    views = ViewMaker(
        method.views(),
        spec.augmentation,
        spec.view_size,
        workshop.registry,
        workshop.device,
        spec.seed,
    )
    training = Pretraining(
        method,
        train,
        val,
        views,
        spec.settings(),
        attempt.report,
        attempt.checkpoints,
        optimizer=lambda groups, recorded: workshop.registry.build(spec.optimizer, groups=groups, recorded=recorded),
        schedule=workshop.registry.build(spec.schedule),
    )
    result = training.run()

    save_tensors(method.encoder.state_dict(), attempt.folder / "encoder.safetensors")
    save_tensors(_kept(method), attempt.folder / "method.safetensors")
    (attempt.folder / "history.json").write_text(json.dumps(result.history, indent=1) + "\n", "utf-8")
    last = result.history[-1]
    return StageResult(
        metrics={
            **last,
            **{f"start_{name}": value for name, value in result.start.items()},
            "epochs": len(result.history),
            "epoch_kept": result.epoch,
            "images": len(places),
            **({"images_of": pool.sources} if pool.sources else {}),
            **({"images_held_out": len(val)} if spec.held_out else {}),
            **_passes(spec, workshop),
            "batch_size": training.length.batch,
            "validation_batch_size": min(training.length.batch, len(val)),
        },
        images_seen=result.images_seen,
        flags={**collapse_flags(last), **feature_flags(last, result.start)},
        headline={name: value for name, value in last.items() if name in {"loss", "top1", "val_top1"}},
    )


def _kept(method: Method) -> dict[str, Tensor]:
    """Return what is stored of a method beside its encoder."""
    left_out = ("encoder", *method.discarded)
    parts = tuple(f"{name}." for name in left_out)
    state = method.state_dict()
    return {name: value for name, value in state.items() if name not in left_out and not name.startswith(parts)}


def _passes(spec: PretrainSpec, workshop: Workshop) -> dict[str, float]:
    """Return the passes through the encoder for each image, where one of a view of full size is 1."""
    assert spec.view_size is not None
    assert spec.encoder is not None, "a plan always says it"
    method = passes_of(workshop.registry.find("method", spec.method.name), spec.method.parameters, spec.view_size)
    passes = encoder_passes(method, spec.encoder.component, spec.view_size)
    return {"encoder_passes_trained": passes.trained, "encoder_passes_frozen": passes.frozen}


def _method(spec: PretrainSpec, workshop: Workshop, train: DeviceImages, length: Length) -> Method:
    """Return the method around the encoder that the pretraining starts from, on the device."""
    encoder = workshop.encoder(spec.encoder, spec.start)
    teacher = _teacher(spec.teacher, workshop) if spec.teacher else None
    assert spec.view_size is not None
    groups = None if train.groups is None else len(train.groups.unique())
    context = MethodContext(spec.view_size, len(train), teacher, length.batch, length.steps, groups)
    with forked(stream("method weights", seed=spec.seed)):
        method = workshop.registry.build(spec.method, encoder=encoder, context=context)
    if not isinstance(method, Method):
        raise StageError(f"method {spec.method.name!r} gave {type(method).__name__}, not a Method")
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
