"""The contract of methods: a few steps through the real training loop."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medssl_bench.checkpoints import Checkpoints
from medssl_bench.datasets import Task
from medssl_bench.encoders.dim import feature_dim
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.methods.base import Batch, Method, MethodContext, Progress
from medssl_bench.methods.check_history import wrong_with
from medssl_bench.plugin.registry import Registry
from medssl_bench.randomness import forked
from medssl_bench.testing.checking import Group, States, generator_states, require, require_untouched
from medssl_bench.testing.encoder_for import Make, encoder_for
from medssl_bench.testing.gradients import backward, require_all_in_groups, require_sound_gradients
from medssl_bench.testing.interrupting import goes_on
from medssl_bench.testing.method_work import Work, counted_passes, require_counted
from medssl_bench.testing.playback import PLAYS_BACK, plays_back
from medssl_bench.testing.precision import Prepared, compares_in_float32
from medssl_bench.testing.small_data import SIZE, small_data
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.pretrain import Pretraining
from medssl_bench.training.recording import Recorder, recorded_by
from medssl_bench.training.view_maker import ViewMaker

Build = Callable[[nn.Module, MethodContext], Method]
_IMAGES, _IN_GROUP = 36, 3
_CPU = torch.device("cpu")
_SETTINGS: dict[str, Any] = {
    "seed": 0,
    "batch_size": 12,
    "optimizer": {"name": "adamw", "lr": 2**-10, "weight_decay": 1e-4, "momentum": 0.9},
    "schedule": {"name": "constant", "minimum": 0.0, "period": None, "warmup": 0},
    "precision": "float32",
    "keep": "last",
    "validate_every": 1,
}


def method_steps(build: Build, work: Work, registry: Registry) -> list[Group]:
    """Return the steps for a method.

    Args:
        build: makes it around an encoder.
        work: gives what the plan counts of its work.
        registry: where its views' augmentation comes from.

    Raises:
        Failed: what it makes is no method.
    """
    bench = _Bench(build, registry)
    bench.make()
    bench.name_metrics()
    return [
        [("views", bench.views)],
        [("loss and metrics", bench.loss)],
        [("evaluation mode leaves its state as it is", bench.evaluation)],
        [("trains on RGB images", lambda: bench.trains(3))],
        [("trains on grey images", lambda: bench.trains(1))],
        [("the same seed gives the same encoder", bench.repeats)],
        [
            ("loss and metrics are float32 under bfloat16 autocast", bench.exact),
            (PLAYS_BACK, bench.plays_back),
            ("global random state is untouched", bench.untouched),
        ],
        [
            ("a training that is interrupted and goes on ends the same", bench.resumes),
            ("its work is counted", lambda: bench.counts(work)),
        ],
    ]


def _groups(images: int) -> NDArray[np.int64]:
    return np.arange(images, dtype=np.int64) // _IN_GROUP


def _is_trained(method: Method) -> bool:
    """Return whether a method's loss trains anything; one that fits a codebook, say, trains nothing."""
    return any(parameter.requires_grad for parameter in method.parameters())


class _Bench:
    """A method on small data, as the training loop uses it."""

    def __init__(self, build: Build, registry: Registry) -> None:
        self._build = build
        self._registry = registry
        self._taken: Make | None = None

    def make(self) -> Method:
        """Return it around the encoder that it takes."""
        if self._taken is None:
            self._taken = encoder_for(self._around, self._registry)
        method = self._around(self._taken)
        require(
            isinstance(method, Method), f"the factory gives {type(method).__name__}, not a medssl_bench.methods.Method"
        )
        return method

    def _around(self, make: Make) -> Method:
        with forked(0):
            encoder = make()
            teacher = nn.Sequential(TimmEncoder("test_resnet", SIZE), nn.Linear(feature_dim(encoder), 4)).eval()
            teacher.requires_grad_(requires_grad=False)
            batch = _SETTINGS["batch_size"]
            context = MethodContext(SIZE, _IMAGES, teacher, batch, 2 * _IMAGES // batch, _IMAGES // _IN_GROUP)
            return self._build(encoder, context)

    def name_metrics(self) -> None:
        """Check what it calls its metrics, first and once: the training loop would refuse them in every step below.

        Raises:
            Failed: they cannot stand in a history.
        """
        metrics: dict[str, Tensor] = {}
        with suppress(Exception):  # whatever else is wrong, a step below says
            _, metrics = self._step(self.make())
        require(not (wrong := wrong_with(metrics)), f"it gives {wrong}")

    def _maker(self, method: Method) -> ViewMaker:
        augmentation = self._registry.resolve_or_raise("augmentation", "simclr")
        return ViewMaker(method.views(), augmentation, SIZE, self._registry, _CPU, 0)

    def _images(self, channels: int = 3) -> tuple[DeviceImages, DeviceImages]:
        _, splits = small_data(Task.MULTI_CLASS, channels)
        train, val = (replace(splits[name], groups=_groups(len(splits[name]))) for name in ("train", "val"))
        return DeviceImages(train, _CPU), DeviceImages(val, _CPU)

    def _step(self, method: Method, number: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and the metrics of a training batch; generators are forked as in the training loop."""
        self._begin(method, progress := Progress(number, 6, 0))
        with forked(2):
            loss, metrics = method(self._batch(method, self._images()[0], number), progress)
        return loss, metrics

    def _begin(self, method: Method, progress: Progress) -> None:
        """Begin an epoch, and leave the method in training mode."""
        with forked(1):
            method.eval()
            method.on_epoch_start(self._images()[0], progress)
        method.train()

    def _validate(self, method: Method) -> None:
        method.eval()
        with torch.no_grad(), forked(3):
            method(self._batch(method, self._images()[1], 9), Progress(1, 6, 0))

    def _batch(self, method: Method, images: DeviceImages, number: int) -> Batch:
        index = torch.arange(_SETTINGS["batch_size"])
        pixels = images.take(index)
        return images.batch(index, self._maker(method)(pixels, "views", number), pixels)

    def views(self) -> str:
        method = self.make()
        first = tuple(method.views())
        require(first == tuple(method.views()), "views() gives another answer the second time")
        self._maker(method)
        return f"{len(first)} of each image"

    def loss(self) -> str:
        method = self.make()
        loss, metrics = self._step(method)
        require(loss.ndim == 0, f"the loss has shape {tuple(loss.shape)}, not that of a scalar")
        require(torch.isfinite(loss), f"the loss is {float(loss.detach()):g}")
        if _is_trained(method):
            self._gradients(method, loss)
        for name, value in metrics.items():
            require(value.ndim == 0, f"metric {name} has shape {tuple(value.shape)}, not that of a scalar")
            require(not value.requires_grad, f"metric {name} carries a gradient; detach it")
        monitored = method.monitor is None or method.monitor in {*metrics, "loss"}
        require(monitored, f"it is to be watched by {method.monitor!r}, which is not among its metrics")
        parts = {name.split(".")[0] for name in method.state_dict()}
        unknown = [name for name in method.discarded if name not in parts]
        require(not unknown, f"discarded names {', '.join(unknown)}; its parts are {', '.join(sorted(parts))}")
        return ", ".join([f"loss {float(loss.detach()):.3g}", *metrics])

    def _gradients(self, method: Method, loss: Tensor) -> None:
        """Check the gradients of a step, and of a second one: a queue is empty in the first."""
        backward(loss)
        require_sound_gradients(method)
        require_all_in_groups(method, method.parameter_groups(_SETTINGS["optimizer"]["weight_decay"]))
        method.zero_grad()
        backward(self._step(method, 1)[0])
        require_sound_gradients(method)

    def counts(self, work: Work) -> str:
        method = self.make()
        self._begin(method, progress := Progress(0, 6, 0))
        batch = self._batch(method, self._images()[0], 0)
        with counted_passes(method) as done, forked(2):
            method(batch, progress)
        return require_counted(work(SIZE), method.views(), done, batch=len(batch.image), size=SIZE)

    def exact(self) -> str:
        compares_in_float32(self._prepared, "")
        with torch.no_grad():
            compares_in_float32(lambda: self._prepared(validates=True), " on validation images")
        return "also on validation images"

    def _prepared(self, *, validates: bool = False) -> Prepared:
        """Return the method and what it is called with, as the training loop does."""
        method = self.make()
        self._begin(method, progress := Progress(0, 6, 0))
        method.train(not validates)
        return method, self._batch(method, self._images()[validates], 0), progress

    def evaluation(self) -> str:
        method = self.make()
        self._step(method)
        before = {name: value.clone() for name, value in method.state_dict().items()}
        self._validate(method)
        for name, value in method.state_dict().items():
            require(torch.equal(value, before[name]), f"{name} changes on validation batches; check self.training")
        plain, again, validated = (self._second_loss(validates=validates) for validates in (False, False, True))
        require(
            not torch.equal(plain, again) or torch.equal(plain, validated),  # else it fails for not repeating
            "a validation batch changes the loss of the next training batch, through state that is in no buffer; "
            "check self.training, and keep state in buffers",
        )
        return "yes"

    def _second_loss(self, *, validates: bool) -> Tensor:
        """Return the loss of the second training batch, with or without a validation batch before it."""
        method = self.make()
        self._step(method)
        if validates:
            self._validate(method)
        return self._step(method, 1)[0].detach()

    def _train(
        self, channels: int = 3, checkpoints: Checkpoints | None = None, epochs: int = 2
    ) -> tuple[Method, dict[str, float]]:
        method = self.make()
        settings = {**_SETTINGS, "duration": {"epochs": epochs}, "keep": "best" if method.monitor else "last"}
        training = Pretraining(
            method, *self._images(channels), self._maker(method), settings, lambda *_: None, checkpoints
        )
        return method, training.run().history[-1]

    @cached_property
    def _first(self) -> tuple[Method, dict[str, float], States, States]:
        """The training that others are compared with, done once: with the generators' states before and after it."""
        before = generator_states()
        return *self._train(), before, generator_states()

    def trains(self, channels: int) -> str:
        before = self.make().encoder.state_dict()
        method, last = self._first[:2] if channels == 3 else self._train(channels)
        after = method.encoder.state_dict()
        watched = dict(method.encoder.named_parameters() if _is_trained(method) else after)
        moved = any(not torch.equal(before[name], after[name]) for name in watched)
        require(moved, "the encoder does not change")
        validated = last.get("val_loss", float("nan"))
        return f"loss {last['loss']:.3g} after two epochs, {validated:.3g} on validation images"

    def repeats(self) -> str:
        first, second = self._first[0].state_dict(), self._train()[0].state_dict()
        for name, value in first.items():
            require(torch.equal(value, second[name]), f"{name} differs between two runs of one seed")
        return "to the bit"

    def resumes(self) -> str:
        return goes_on(
            lambda checkpoints: self._train(checkpoints=checkpoints)[0].state_dict(), self._first[0].state_dict()
        )

    def plays_back(self) -> str:
        def train(recorder: Recorder | None) -> dict[str, Tensor]:
            with recorded_by(lambda _: recorder):
                return self._train(epochs=3)[0].state_dict()  # by hand, recorded and played, played: epochs may differ

        claimed = self.make().recordable
        require(isinstance(claimed, bool), f"recordable is {claimed!r}, not true or false")
        return plays_back(train, claimed=claimed)

    def untouched(self) -> str:
        require_untouched(*self._first[2:])
        return "yes"
