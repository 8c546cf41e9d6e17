"""One fine-tuning: a model, its optimiser and where they stand, from the start or a checkpoint to the scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medssl_bench.augmentations.per_image import copies, require_own_draws
from medssl_bench.augmentations.views import draw_view, has_own_streams
from medssl_bench.checkpoints import TrainingState
from medssl_bench.encoders.dim import feature_dim
from medssl_bench.encoders.recordable import is_recordable
from medssl_bench.evaluators.balance import balanced_labels, loss_weights
from medssl_bench.evaluators.base import Evaluation, Trial
from medssl_bench.evaluators.classification import loss, probabilities, targets
from medssl_bench.evaluators.finetune_settings import FineTuneSettings
from medssl_bench.evaluators.minibatches import minibatches
from medssl_bench.randomness import forked
from medssl_bench.stopping import at_checkpoints
from medssl_bench.training.before_step import set_progress
from medssl_bench.training.images import DeviceImages, evaluation_batch
from medssl_bench.training.optimizer import made_by, make_optimizer, set_learning_rate
from medssl_bench.training.recording import recorder_for
from medssl_bench.training.schedule import rate_at
from medssl_bench.training.state import part, resume, state_of
from medssl_bench.training.steps import Steps


class FineTuning:
    """One fine-tuning.

    Args:
        trial: what to train on, with the labelled images as they are trained on.
        settings: how.
    """

    def __init__(self, trial: Trial, settings: FineTuneSettings) -> None:
        self._trial = trial
        self._settings = settings
        self._task, self._device = trial.info.task, trial.device
        self._train = DeviceImages(trial.splits["train"], trial.device, trial.train)
        self._wanted = targets(self._task, trial.splits["train"].labels[trial.train]).to(trial.device)
        self._weights = loss_weights(settings.balance, trial)
        make = settings.augmentation
        self._augment = make(size=self._train.size).to(trial.device) if make else None
        self._model = self._make()
        adam = {"name": "adam", "lr": settings.lr, "weight_decay": settings.weight_decay}
        recordable = is_recordable(self._model[0]) and (self._augment is None or has_own_streams(self._augment))
        recorder = recorder_for(trial.device) if recordable else None
        groups = [{"params": list(self._model.parameters())}]
        self._optimizer = make_optimizer(groups, adam, recorded=recorder is not None, make=made_by(settings.optimizer))
        self._schedule = settings.schedule() if settings.schedule else None
        self._steps = Steps(self._model, self._optimizer, recorder)
        chosen_by = trial.choice()
        self._best, self._watched = trial.best_epoch(), None
        if chosen_by is not None:
            self._watched = DeviceImages(trial.splits[chosen_by.split], trial.device, chosen_by.places)
        self._history: list[dict[str, float]] = []
        self._epoch, self._batch = 0, 0
        self._total = torch.zeros((), device=trial.device)

    def run(self) -> Evaluation:
        """Train, and predict the test images.

        Raises:
            StageError: the augmentation draws once for a whole batch.
        """
        self._restore()
        make = self._settings.augmentation
        if make and not (self._epoch or self._batch):  # what goes on has passed it
            tried = copies(self._train.size, device=self._device)
            require_own_draws(
                lambda: make(size=self._train.size).to(self._device), "the augmentation of the fine-tuning", tried
            )
        with at_checkpoints():
            while self._epoch < self._settings.epochs:
                self._run_epoch()
        self._steps.forget()
        if self._best is not None:
            self._best.require_chosen()
        test = DeviceImages(self._trial.splits["test"], self._device)
        scores = last_scores = probabilities(self._task, self._predict(test))
        selected = self._settings.epochs - 1
        if self._best is not None and self._best.epoch != selected:
            selected = self._best.epoch
            self._model.load_state_dict(self._best.state)
            scores = probabilities(self._task, self._predict(test))
        encoder, head = self._model
        weights = {"encoder": dict(encoder.state_dict()), "head": dict(head.state_dict())}
        return Evaluation(scores, last_scores, selected, history=self._history, weights=weights)

    def _make(self) -> nn.Sequential:
        encoder = self._trial.encoder()
        with forked(self._trial.stream("classifier weights")):
            head = nn.Linear(feature_dim(encoder), len(self._trial.info.classes))
        model = nn.Sequential(encoder, head.to(self._device))
        return model.to(memory_format=torch.channels_last)

    def _run_epoch(self) -> None:
        """Train for an epoch, or for the rest of it, and validate if validation is due."""
        epoch, epochs = self._epoch, self._settings.epochs
        self._trial.report(epoch, epochs, {})
        row = {"epoch": float(epoch), "loss": self._train_epoch()}
        if self._trial.looks_at(epoch, epochs, self._settings.validate_every):
            if self._best is not None and self._watched is not None:
                found = self._best.look(epoch, self._predict(self._watched), self._model.state_dict())
                row |= {f"val_{name}": value for name, value in found.items()}
            self._history.append(row)
        self._trial.report(epoch, epochs, row)
        self._epoch, self._batch = epoch + 1, 0
        self._total.zero_()
        if self._epoch < epochs:
            self._save_if_due()

    def _train_epoch(self) -> float:
        """Return the mean loss of the epoch."""
        self._model.train()
        if self._schedule is not None:
            lr = self._optimizer.defaults["lr"]
            set_learning_rate(self._optimizer, rate_at(self._schedule, self._epoch, self._settings.epochs, lr))
        set_progress(self._optimizer, self._epoch / self._settings.epochs)
        order = self._trial.stream("finetune batches", epoch=self._epoch)
        balanced_by = balanced_labels(self._settings.balance, self._trial)
        batches = minibatches(len(self._train), self._settings.batch_size, order, balanced_by, least=2)
        for places, images in self._train.stream([torch.from_numpy(index) for index in batches[self._batch :]]):
            self._train_step(places, images)
            self._batch += 1
            if self._batch < len(batches):  # else first what ends the epoch
                self._save_if_due()
        return float(self._total) / len(batches)

    def _train_step(self, places: Tensor, images: Tensor) -> None:
        axes = {"epoch": self._epoch, "batch": self._batch}
        key = self._trial.stream("finetune views", **axes)
        with forked(self._trial.stream("finetune step", **axes)):
            self._total += self._steps.do(self._update, places, images, key)["loss"]

    def _update(self, places: Tensor, images: Tensor, key: int | Tensor) -> dict[str, Tensor]:
        """Change the weights by a batch, and return its loss."""
        if self._augment is not None:
            images = draw_view(self._augment, images, key)
        self._optimizer.zero_grad(set_to_none=True)
        value = loss(self._task, self._logits(images), self._wanted[places], self._weights)
        value.backward()
        self._optimizer.step()
        return {"loss": value.detach()}

    def _save_if_due(self) -> None:
        if not self._trial.checkpoints.is_due():
            return
        tensors = {**state_of(self._model, self._optimizer), "total": self._total}
        values = {"epoch": self._epoch, "batch": self._batch, "history": list(self._history), "best": None}
        if self._best is not None:
            tensors |= {f"best.{name}": tensor for name, tensor in self._best.state.items()}
            values["best"] = [self._best.epoch, *self._best.rank]
        self._trial.checkpoints.save(TrainingState(tensors, values))

    def _restore(self) -> None:
        """Go on from a checkpoint, if there is one."""
        state = resume(self._trial.checkpoints, self._model, self._optimizer)
        if state is None:
            return
        self._total.copy_(state.tensors["total"])
        self._epoch, self._batch = state.values["epoch"], state.values["batch"]
        self._history = list(state.values["history"])
        if self._best is not None:
            self._best.epoch, *rank = state.values["best"]
            self._best.rank = (rank[0], rank[1])
            kept = part(state.tensors, "best.")
            self._best.state = {name: tensor.to(self._device) for name, tensor in kept.items()}

    @torch.no_grad()
    def _predict(self, images: DeviceImages) -> Tensor:
        """Return the logits of images, in evaluation mode."""
        self._model.eval()
        places = torch.arange(len(images)).split(evaluation_batch(images.size))
        return torch.cat([self._logits(batch) for _, batch in images.stream(places)])

    def _logits(self, images: Tensor) -> Tensor:
        """Return the logits of a batch, (B, C) float32.

        The classifier is float32 whatever the encoder is: rounded logits tie, and ties decide accuracy and AUROC.
        """
        encoder, head = self._model
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._settings.precision == "bfloat16"):
            features = encoder(images)
        found: Tensor = head(features.float())
        return found
