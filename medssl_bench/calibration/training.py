"""How fast pretraining, fine-tuning and the linear probe are."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np
import torch

from medssl_bench.calibration.bench import IMAGES, Bench, Enough, Timer, line, measured
from medssl_bench.costs.units import Work
from medssl_bench.evaluators.base import Trial
from medssl_bench.evaluators.classification import BestEpoch
from medssl_bench.evaluators.classifier_training import FineTuning
from medssl_bench.evaluators.finetune_settings import FineTuneOptions
from medssl_bench.evaluators.linear_probe import LinearProbe
from medssl_bench.methods.base import MethodContext
from medssl_bench.stages.embed import features
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.view_maker import ViewMaker

PRECISIONS = ("float32", "bfloat16")
_FEW = 32
"""Images of a small batch; a large one has `IMAGES`."""

_EPOCHS = 100
"""More than are timed; one step is one epoch."""

_SLOW = 2.0
"""Seconds: where few images take longer, many are not timed. Such is bfloat16 on processors that lack it."""


def pretraining(bench: Bench, precision: str) -> Work:
    """Return what a step and an image of a pretraining cost, but for the making of their views."""
    return _line("pretrain", precision, partial(_pretraining_step, bench, precision))


def _pretraining_step(bench: Bench, precision: str, batch: int) -> float:
    spec, shop = bench.pretraining, bench.workshop
    splits, timer = bench.splits(batch), _timer()
    settings = {**spec.settings(), "duration": {"epochs": _EPOCHS}, "batch_size": batch, "precision": precision}
    settings |= {
        name: {"name": component.name, **component.parameters}
        for name, component in (("optimizer", spec.optimizer), ("schedule", spec.schedule))
    }
    encoder = shop.encoder(spec.encoder, None)
    assert spec.view_size is not None
    method = shop.registry.build(spec.method, encoder=encoder, context=MethodContext(spec.view_size, batch, None))
    method.to(shop.device).to(memory_format=torch.channels_last)
    views = ViewMaker(method.views(), spec.augmentation, spec.view_size, shop.registry, shop.device, 0)

    def report(_index: int, _total: int, _metrics: Mapping[str, float], speed: float | None) -> None:
        if speed:
            timer.add(batch / speed)

    train = DeviceImages(splits["train"], shop.device)
    val = DeviceImages(bench.splits(0)["val"], shop.device)
    with suppress(Enough):
        Pretraining(method, train, val, views, settings, report).run()
    return timer.low()


def fine_tuning(bench: Bench, precision: str) -> Work:
    """Return what a step and an image of a fine-tuning cost."""
    return _line("finetune", precision, partial(_fine_tuning_step, bench, precision))


def _line(what: str, precision: str, step: Callable[[int], float]) -> Work:
    """Return what a step and an image cost, from steps of few and of many images; of slow ones, from few alone."""
    few = (_FEW, step(_FEW))
    other = (0, 0.0) if few[1] > _SLOW else (IMAGES, step(IMAGES))
    return line(f"{what} step:{precision}", f"{what} image:{precision}", *sorted((few, other)))


def _fine_tuning_step(bench: Bench, precision: str, batch: int) -> float:
    timer, began = _timer(), [0.0]

    def report(_index: int, _total: int, metrics: Mapping[str, float]) -> None:
        if metrics:  # an epoch has ended, and its loss has been read
            timer.add(time.perf_counter() - began[0])
        began[0] = time.perf_counter()

    given = bench.evaluator("finetune").parameters
    changed = {"epochs": _EPOCHS, "batch_size": batch, "precision": precision}
    with suppress(Enough):
        FineTuning(_trial(bench, batch, report=report), FineTuneOptions(**{**given, **changed})).run()
    return timer.low()


def _timer() -> Timer:
    return Timer(least=4, most=20, most_seconds=1.5)


def forward(bench: Bench) -> Work:
    """Return what an image costs in evaluation mode."""
    shop = bench.workshop
    encoder = shop.encoder(bench.pretraining.encoder, None)
    found: Work = {}
    for precision in PRECISIONS:
        with torch.autocast(shop.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            for count in (_FEW, IMAGES):
                splits = bench.splits(count)
                took = measured(partial(features, encoder, splits, shop.device), shop.device)
                found[f"forward image:{precision}"] = took / (3 * count)
                if took > _SLOW:
                    break
    return found


def probe(bench: Bench) -> Work:
    """Return what epochs and steps of a linear probe cost."""
    given = bench.evaluator("probe").parameters
    epochs, dim, batch = 60, 512, 64
    evaluator = LinearProbe(**{**given, "epochs": epochs, "batch_size": batch})
    drawn = torch.Generator().manual_seed(0)
    features = {name: torch.randn((IMAGES, dim), generator=drawn) for name in bench.data.splits}
    found = []
    for count in (batch, IMAGES):
        trial = _trial(bench, count, features=features)
        found.append((count // batch, measured(partial(evaluator.evaluate, trial), bench.workshop.device) / epochs))
    return line("probe epoch", "probe step", *found)


def look(bench: Bench) -> Work:
    """Return the cost of a validation pass, without the part of the encoder."""
    labels, classes = bench.data.splits["val"].labels, len(bench.data.info.classes)
    found = []
    for times in (1, 8):
        best = BestEpoch(bench.data.info.task, np.tile(labels, (times, 1)))
        logits = torch.randn((IMAGES * times, classes), generator=torch.Generator().manual_seed(0))
        found.append((IMAGES * times, measured(partial(best.look, 0, logits, {}), torch.device("cpu"))))
    return line("look", "looked-at image", *found)


def _trial(bench: Bench, labelled: int, **more: Any) -> Trial:
    """Return a cell with some labelled images, of which the last epoch counts."""
    spec, shop = bench.pretraining, bench.workshop
    return Trial(
        info=bench.data.info,
        splits=bench.data.splits,
        train=np.arange(labelled),
        val=np.empty(0, dtype=np.int64),
        selection="last",
        seed=0,
        device=shop.device,
        encoder=lambda: shop.encoder(spec.encoder, None),
        **more,
    )
