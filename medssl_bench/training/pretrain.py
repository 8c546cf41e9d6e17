"""The pretraining loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from medssl_bench.checkpoints import Checkpoints, TrainingState
from medssl_bench.encoders.recordable import is_recordable
from medssl_bench.errors import StageError
from medssl_bench.methods.base import Method, Progress
from medssl_bench.methods.check_history import VALIDATION, wrong_with
from medssl_bench.randomness import forked, generator, stream
from medssl_bench.stopping import at_checkpoints
from medssl_bench.training.before_step import set_progress
from medssl_bench.training.feature_watch import FeatureWatch
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.length import Length
from medssl_bench.training.optimizer import MakeOptimizer, make_optimizer, make_schedule, set_learning_rate
from medssl_bench.training.partners import PairedImages
from medssl_bench.training.recording import recorder_for
from medssl_bench.training.schedule import Schedule, rate_at
from medssl_bench.training.state import part, resume, state_of
from medssl_bench.training.steps import Steps
from medssl_bench.training.sums import Sums
from medssl_bench.training.view_maker import ViewMaker

Report = Callable[[int, int, Mapping[str, float], float | None], None]


@dataclass
class Pretrained:
    """What a pretraining gives.

    Attributes:
        epoch: 0-based epoch whose weights are kept.
        history: one row of metrics per epoch; those of the validation images start with ``val_``.
        images_seen: images processed in training.
        start: gauges of the features before the first epoch; none without validation images.
    """

    epoch: int
    history: list[dict[str, float]] = field(default_factory=list)
    images_seen: int = 0
    start: dict[str, float] = field(default_factory=dict)


class Pretraining:
    """One pretraining.

    Args:
        method: the method around the encoder that is trained, on the device.
        train: the unlabelled images.
        val: validation images, on which the method's metrics are followed; may be empty.
        views: makes the views.
        settings: the ``spec`` of a pretrain stage: duration, batch_size, optimizer, schedule, precision, keep,
            validate_every, seed.
        report: called when an epoch begins and when it ends, with its number, their total, metrics (none at the
            beginning) and images per second.
        checkpoints: where to go on from, and where to save; None: neither.
        optimizer: makes the optimiser; None: the built-in one that the settings name.
        schedule: the schedule; None likewise.

    Attributes:
        steps: does the training steps, by hand or recorded.
    """

    def __init__(
        self,
        method: Method,
        train: DeviceImages,
        val: DeviceImages,
        views: ViewMaker,
        settings: Mapping[str, Any],
        report: Report,
        checkpoints: Checkpoints | None = None,
        *,
        optimizer: MakeOptimizer | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.method = method
        self.train = train
        self.val = val
        self.views = views
        self.settings = settings
        self.report = report
        self._checkpoints = checkpoints or Checkpoints()
        self.seed: int = settings["seed"]
        self._name = settings["method"]["name"] if "method" in settings else type(method).__name__
        self.length = Length.of(settings["duration"], len(train), settings["batch_size"])
        if settings["keep"] == "best" and method.monitor is None:
            raise StageError(f'{type(method).__name__} has no metric to choose by; set keep = "last"')
        groups = method.parameter_groups(settings["optimizer"].get("weight_decay", 0.0))
        if any("lr" in group for group in groups):
            raise StageError(
                f"method {self._name!r} gives a parameter group 'lr', which the recipe sets; give 'lr_scale'"
            )
        recordable = method.recordable and is_recordable(method.encoder) and views.recordable
        recorder = recorder_for(train.device) if recordable else None
        recorded = recorder is not None
        self._trains = any(parameter.requires_grad for parameter in method.parameters())
        self._optimizer = make_optimizer(groups, settings["optimizer"], recorded=recorded, make=optimizer)
        self._schedule = schedule or make_schedule(settings["schedule"])
        self.steps = Steps(method, self._optimizer, recorder)
        self._pairs = PairedImages(train, "partners", self.seed, wanted=views.of_partners)
        self._val_pairs = PairedImages(val, "validation partners", self.seed, wanted=views.of_partners)
        self._watch = FeatureWatch(method, val, views.size)
        self._step, self._sums = 0, Sums()
        self._result = Pretrained(epoch=self.length.epochs - 1)
        self._measured: set[str] = set()
        self._best = -math.inf
        self._best_state: dict[str, Tensor] | None = None

    def run(self) -> Pretrained:
        """Train, and leave the kept weights in the method.

        Raises:
            StageError: the loss is not a finite number, the best epoch is wanted and its metric is not measured, or an
                augmentation draws once for a whole batch.
        """
        self._restore()
        if not self._step:  # what goes on has passed it
            self.views.require_own_draws(self.train.size)
            self._result.start = self._watch.look()
        with at_checkpoints():
            for epoch in range(self._step // self.length.steps_per_epoch, self.length.epochs):
                self._epoch(epoch)
        if self._best_state is not None:
            self.method.load_state_dict(self._best_state)
        return self._result

    def _epoch(self, epoch: int) -> None:
        """Train for an epoch, or for the rest of it, validate if due, and record the metrics."""
        started, before = time.perf_counter(), self._step
        self.report(epoch, self.length.epochs, {}, None)
        row = {"epoch": float(epoch), "lr": self._learning_rate(epoch * self.length.steps_per_epoch)}
        row |= self._train_epoch(epoch)
        speed = (self._step - before) * self.length.batch / (time.perf_counter() - started)
        if epoch % self.settings["validate_every"] == 0 or epoch == self.length.epochs - 1:
            seen = {**self._validate(epoch), **self._finite(self._watch.look(), epoch, VALIDATION)}
            row |= {f"{VALIDATION}{name}": value for name, value in seen.items()}
            self._require_monitor(row)
        self._result.history.append(row)
        self._result.images_seen += self._steps_of(epoch) * self.length.batch
        watched = row.get(f"val_{self.method.monitor}", -math.inf)
        if self.settings["keep"] == "best" and watched > self._best:
            self._best, self._result.epoch = watched, epoch
            self._best_state = {name: tensor.clone() for name, tensor in self.method.state_dict().items()}
        self.report(epoch, self.length.epochs, row, speed)
        if self._step < self.length.steps:
            self._save_if_due()

    def _save_if_due(self) -> None:
        if not self._checkpoints.is_due():
            return
        tensors = state_of(self.method, self._optimizer)
        tensors |= {f"best.{name}": tensor for name, tensor in (self._best_state or {}).items()}
        tensors |= {f"sums.{name}": tensor for name, tensor in self._sums.totals.items()}
        values = {
            "step": self._step,
            "summed": self._sums.count,
            "history": list(self._result.history),
            "images_seen": self._result.images_seen,
            "start": self._result.start,
            "best": None if self._best_state is None else [self._best, self._result.epoch],
        }
        self._checkpoints.save(TrainingState(tensors, values))

    def _restore(self) -> None:
        """Go on from a checkpoint, if there is one."""
        state = resume(self._checkpoints, self.method, self._optimizer)
        if state is None:
            return
        values, device = state.values, self.train.device
        self._step = values["step"]
        self._result.history = list(values["history"])
        self._result.images_seen, self._result.start = values["images_seen"], values.get("start", {})
        totals = {name: total.to(device) for name, total in part(state.tensors, "sums.").items()}
        self._sums = Sums(totals, values["summed"])
        if values["best"] is not None:
            self._best, self._result.epoch = values["best"]
            self._best_state = {name: kept.to(device) for name, kept in part(state.tensors, "best.").items()}

    def _require_monitor(self, row: Mapping[str, float]) -> None:
        """Refuse to choose an epoch by a metric that is never measured."""
        if self.settings["keep"] == "best" and f"val_{self.method.monitor}" not in row:
            raise StageError(f'the validation images give no {self.method.monitor} to choose by; set keep = "last"')

    def _learning_rate(self, step: int) -> float:
        place, whole = self.length.place(step), self.length.place(self.length.steps)
        return rate_at(self._schedule, place, whole, self._optimizer.defaults["lr"])

    def _steps_of(self, epoch: int) -> int:
        """Return the steps of an epoch; the last may be cut short by a duration in steps."""
        return min(self.length.steps_per_epoch, self.length.steps - epoch * self.length.steps_per_epoch)

    def _batches(self, epoch: int) -> tuple[Tensor, ...]:
        order = torch.from_numpy(generator("batches", seed=self.seed, epoch=epoch).permutation(len(self.train)))
        return torch.split(order, self.length.batch)[: self._steps_of(epoch)]

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        """Return the means of an epoch; one that a checkpoint has cut goes on where it was."""
        done = self._step - epoch * self.length.steps_per_epoch
        if not done:
            self._sums = Sums()
            with forked(stream("epoch start", seed=self.seed, epoch=epoch)):
                self.method.eval()
                self.method.on_epoch_start(self.train, Progress(self._step, self.length.steps, epoch))
        self.method.train()
        for index, images in self._pairs.stream(self._batches(epoch)[done:], epoch):
            self._train_step(index, images, Progress(self._step, self.length.steps, epoch))
            self._step += 1
            if self._step % self.length.steps_per_epoch and self._step < self.length.steps:  # else first what ends it
                self._save_if_due()
        means = self._sums.means()
        if not math.isfinite(means["loss"]):
            raise StageError(f"the loss is {means['loss']} in epoch {epoch + 1}; try a smaller learning rate")
        return self._finite(means, epoch)

    def _train_step(self, index: Tensor, images: tuple[Tensor, ...], progress: Progress) -> None:
        set_learning_rate(self._optimizer, self._learning_rate(progress.step))
        set_progress(self._optimizer, progress.fraction)
        keys = self.views.keys("views", progress.step)
        with forked(stream("training step", seed=self.seed, step=progress.step)):
            found = self.steps.do(partial(self._update, progress, len(images)), index, *images, *keys)
            self.method.after_step(progress)
        self._sums.add(found)

    def _update(self, progress: Progress, sorts: int, index: Tensor, *inputs: Any) -> dict[str, Tensor]:
        """Change the weights by a batch, and return its loss and metrics.

        `inputs` are so many tensors of images, those of the batch first, and the key of each view.
        """
        batch = self.train.batch(index, self.views.draw(inputs[:sorts], inputs[sorts:]), inputs[0])
        self._optimizer.zero_grad(set_to_none=True)
        with self._precision():
            loss, metrics = self.method(batch, _UNKNOWN if self.steps.is_recording else progress)
        self._look_at(metrics)
        if self._trains:
            loss.backward()
            self._optimizer.step()
        return {"loss": loss.detach(), **metrics}

    @torch.no_grad()
    def _validate(self, epoch: int) -> dict[str, float]:
        """Return the method's metrics on the validation images, with the same views at every epoch."""
        sums = Sums()
        self.method.eval()
        step = (epoch + 1) * self.length.steps_per_epoch
        size = min(self.length.batch, len(self.val))
        # a smaller batch has fewer candidates: its accuracy is another metric
        whole = [index for index in torch.arange(len(self.val)).split(max(size, 1)) if len(index) == size > 0]
        for number, (index, images) in enumerate(self._val_pairs.stream(whole, epoch=0)):
            views = self.views.draw(images, self.views.keys("validation views", number))
            batch = self.val.batch(index, views, images[0])
            with forked(stream("validation step", seed=self.seed, step=number)), self._precision():
                loss, metrics = self.method(batch, Progress(min(step, self.length.steps), self.length.steps, epoch))
            self._look_at(metrics)
            sums.add({"loss": loss, **metrics})
        return self._finite(sums.means(), epoch, VALIDATION)

    def _look_at(self, metrics: Mapping[str, Tensor]) -> None:
        """Refuse metrics that cannot stand in a history; those of a name that was seen are not looked at again."""
        if isinstance(metrics, Mapping) and metrics.keys() <= self._measured:
            return
        if wrong := wrong_with(metrics):
            raise StageError(f"method {self._name!r} gives {wrong}")
        self._measured |= metrics.keys()

    def _finite(self, means: dict[str, float], epoch: int, prefix: str = "") -> dict[str, float]:
        for name, value in means.items():
            if not math.isfinite(value):
                raise StageError(
                    f"method {self._name!r}: {prefix}{name} is {value} in epoch {epoch + 1}; has the training "
                    "diverged? Try a smaller learning rate, or give no metric that is not defined"
                )
        return means

    def _precision(self) -> torch.autocast:
        enabled = self.settings["precision"] == "bfloat16"
        return torch.autocast(self.train.device.type, dtype=torch.bfloat16, enabled=enabled)


class _Unknown(Progress):
    """The progress during the recording of a step; raises if it is read, because a recording would keep its value."""

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):
            return super().__getattribute__(name)
        raise RuntimeError(f"the method depends on progress.{name}")


_UNKNOWN = _Unknown(0, 0, 0)
