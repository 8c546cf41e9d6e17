"""One fine-tuning: a model, its optimiser and where they stand, from the start or a checkpoint to the scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn

from medssl_bench.augmentations.per_image import copies, require_own_draws
from medssl_bench.augmentations.views import draw_view, has_own_streams
from medssl_bench.checkpoints import TrainingState
from medssl_bench.encoders.dim import feature_dim
from medssl_bench.encoders.recordable import is_recordable
from medssl_bench.errors import StageError
from medssl_bench.evaluators.balance import balanced_labels, loss_weights
from medssl_bench.evaluators.base import Evaluation, Trial
from medssl_bench.evaluators.batch_norm import set_training_mode
from medssl_bench.evaluators.classification import loss, probabilities, targets
from medssl_bench.evaluators.epoch_choice import EpochChoice
from medssl_bench.evaluators.finetune_settings import FineTuneSettings
from medssl_bench.evaluators.minibatches import minibatches
from medssl_bench.evaluators.parameter_groups import parameter_groups, schedule_of, set_encoder_rate
from medssl_bench.randomness import forked
from medssl_bench.stopping import at_checkpoints
from medssl_bench.training.before_step import set_progress
from medssl_bench.training.images import DeviceImages, evaluation_batch
from medssl_bench.training.optimizer import made_by, make_optimizer, set_learning_rate
from medssl_bench.training.recording import recorder_for
from medssl_bench.training.schedule import rate_at
from medssl_bench.training.state import resume, state_of
from medssl_bench.training.steps import Steps


class FineTuning:
    """One fine-tuning.

    A training with another loss on the same labels is a subclass, such as those of ``medssl-bench-methods``: it may
    define anew the two class attributes, and what has a public name below. Minibatches, schedule, checkpoints,
    recording, and the choice of the epoch stay those of every fine-tuning.

    Args:
        trial: what to train on, with the labelled images as they are trained on.
        settings: how.

    Attributes:
        views: for each view of a batch, the field of the settings that is its augmentation. Each has a random stream
            of its own.
        measured: what `batch_loss` gives, by name: the history has the means over an epoch.
        patience: epochs without a better one after which no more are trained; None: all are.
        keeps_statistics: whether batch normalisation of the encoder does, whatever the settings say.
        trial: what to train on.
        settings: how.
        wanted: the labels of the labelled images, as the loss wants them.
        weights: of the classes in the loss, (C,), or None where all count the same.
        model: the encoder, and a head on its features.
        epoch: the epoch that is next, or goes on.
        batch: of this epoch, the batch that is next.

    Raises:
        StageError: there are fewer than two labelled images.
    """

    views: ClassVar[Sequence[str]] = ("augmentation",)
    measured: ClassVar[Sequence[str]] = ("loss",)
    patience: int | None = None
    keeps_statistics = False

    def __init__(self, trial: Trial, settings: FineTuneSettings) -> None:
        if len(trial.train) < 2:
            raise StageError(
                "fine-tuning needs two labelled images or more: batch normalisation has no variance in one"
            )
        self.trial = trial
        self.settings = settings
        self._task, self._device = trial.info.task, trial.device
        self._train = DeviceImages(trial.splits["train"], trial.device, trial.train)
        self.wanted = targets(self._task, trial.splits["train"].labels[trial.train]).to(trial.device)
        self.weights = loss_weights(settings.balance, trial)
        makers = [getattr(settings, name) for name in self.views]
        self._augment = [self._made(make) if make else None for make in makers]
        self.model = self.make_model()
        adam = {"name": "adam", "lr": settings.lr, "weight_decay": settings.weight_decay}
        recordable = is_recordable(self.model[0]) and all(
            each is None or has_own_streams(each) for each in self._augment
        )
        recorder = recorder_for(trial.device) if recordable else None
        groups = parameter_groups(self.model, settings)
        self._optimizer = make_optimizer(groups, adam, recorded=recorder is not None, make=made_by(settings.optimizer))
        set_encoder_rate(self._optimizer, settings.encoder_lr)
        self._schedule = schedule_of(settings)
        self._steps = Steps(self.model, self._optimizer, recorder)
        self._choice = EpochChoice(trial, self.patience)
        self._history: list[dict[str, float]] = []
        self.epoch, self.batch = 0, 0
        self._total = torch.zeros(len(self.measured), device=trial.device)

    def run(self) -> Evaluation:
        """Train, and predict the test images.

        Raises:
            StageError: an augmentation draws once for a whole batch.
        """
        self.train()
        last = self.epoch - 1
        selected, chosen = self._choice.end(last)
        test = DeviceImages(self.trial.splits["test"], self._device)
        scores = last_scores = probabilities(self._task, self._predict(test))
        if chosen is not None:
            self.predictor.load_state_dict(chosen)
            scores = probabilities(self._task, self._predict(test))
        choices = self._choice.told(last, self.settings.epochs)
        found = Evaluation(scores, last_scores, selected, history=self._history, weights=self.kept_weights())
        found.choices, found.val_scores = choices, self._choice.val_scores(self._predict)
        return found

    def train(self) -> list[dict[str, float]]:
        """Train from the start or a checkpoint to the last epoch, and return the history.

        Raises:
            StageError: an augmentation draws once for a whole batch.
        """
        self._restore()
        if not (self.epoch or self.batch):  # what goes on has passed it
            self._require_own_draws()
        with at_checkpoints():
            while self.epoch < self.settings.epochs and not self._choice.is_over(self._history):
                self._run_epoch()
        self._steps.forget()
        return self._history

    def make_model(self) -> nn.Sequential:
        """Return the encoder and the head that are trained, on the device."""
        return self.with_head(lambda dim: nn.Linear(dim, len(self.trial.info.classes)), "classifier weights")

    def with_head(self, make: Callable[[int], nn.Module], purpose: str) -> nn.Sequential:
        """Return the encoder that the arm starts from and a head.

        Args:
            make: makes the head for features of a length.
            purpose: of the random stream of its first weights.
        """
        encoder = self.trial.encoder()
        with forked(self.trial.stream(purpose)):
            head = make(feature_dim(encoder))
        model = nn.Sequential(encoder, head.to(self._device))
        return model.to(memory_format=torch.channels_last)

    @property
    def predictor(self) -> nn.Sequential:
        """The encoder and the classifier that predict, and that are kept."""
        return self.model

    def kept_weights(self) -> dict[str, dict[str, Tensor]]:
        """Return the state dicts of the predictor that are kept, by name."""
        encoder, head = self.predictor
        return {"encoder": dict(encoder.state_dict()), "head": dict(head.state_dict())}

    def stream(self, batches: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the images of batches.

        Args:
            batches: places of the labelled images of each that is left of the epoch, (B,) int64 on the processor.

        Yields:
            The places on the device, and the images, (B, 3, H, W) in [0, 1]. Others may follow those.
        """
        return self._train.stream(batches)

    def batch_loss(self, places: Tensor, images: Tensor, keys: Sequence[int | Tensor]) -> Mapping[str, Tensor]:
        """Return the ``loss`` of a batch, a scalar with its gradient, and whatever else is `measured`.

        Args:
            places: as of `stream`.
            images: as of `stream`.
            keys: seeds of the views, for `view`.
        """
        logits = self.outputs(self.view(0, images, keys))
        return {"loss": loss(self._task, logits, self.wanted[places], self.weights)}

    def view(self, number: int, images: Tensor, keys: Sequence[int | Tensor]) -> Tensor:
        """Return a view of every image, or the images where its augmentation is None; `number` is of `views`."""
        augment = self._augment[number]
        return images if augment is None else draw_view(augment, images, keys[number])

    def after_step(self) -> None:
        """Act after an optimiser step (move an average, say). It is never part of a recording."""

    def also_kept(self) -> Mapping[str, Tensor]:
        """Return what checkpoints must have beside the model and its optimiser, by name; tensors that are written to.

        They are put back in place, by `Tensor.copy_`.
        """
        return {}

    def _run_epoch(self) -> None:
        """Train for an epoch, or for the rest of it, and validate if validation is due."""
        epoch, epochs = self.epoch, self.settings.epochs
        self.trial.report(epoch, epochs, {})
        row = {"epoch": float(epoch), **self._train_epoch()}
        if self.trial.looks_at(epoch, epochs, self.settings.validate_every):
            row |= self._choice.look(epoch, self._predict, self.predictor.state_dict())
            self._history.append(row | self._choice.spied(self._predict))
        self.trial.report(epoch, epochs, row)
        self.epoch, self.batch = epoch + 1, 0
        self._total.zero_()
        if self.epoch < epochs:
            self._save_if_due()

    def _train_epoch(self) -> dict[str, float]:
        """Return the means over the batches of the epoch."""
        set_training_mode(self.model, keep_statistics=self.keeps_statistics or self.settings.freeze_batch_norm)
        if self._schedule is not None:
            lr = self._optimizer.defaults["lr"]
            set_learning_rate(self._optimizer, rate_at(self._schedule, self.epoch, self.settings.epochs, lr))
        set_progress(self._optimizer, self.epoch / self.settings.epochs)
        order = self.trial.stream("finetune batches", epoch=self.epoch)
        balanced_by = balanced_labels(self.settings.balance, self.trial)
        batches = minibatches(len(self._train), self.settings.batch_size, order, balanced_by, least=2)
        for places, images in self.stream([torch.from_numpy(index) for index in batches[self.batch :]]):
            self._train_step(places, images)
            self.batch += 1
            if self.batch < len(batches):  # else first what ends the epoch
                self._save_if_due()
        means = [total / len(batches) for total in self._total.tolist()]
        return dict(zip(self.measured, means, strict=True))

    def _train_step(self, places: Tensor, images: Tensor) -> None:
        axes = {"epoch": self.epoch, "batch": self.batch}
        more = [{"view": number} if number else {} for number in range(len(self.views))]
        keys = [self.trial.stream("finetune views", **axes, **each) for each in more]
        with forked(self.trial.stream("finetune step", **axes)):
            found = self._steps.do(self._update, places, images, *keys)
            self._total += torch.stack([found[name] for name in self.measured])
        self.after_step()

    def _update(self, places: Tensor, images: Tensor, *keys: int | Tensor) -> dict[str, Tensor]:
        """Change the weights by a batch, and return what is measured of it."""
        self._optimizer.zero_grad(set_to_none=True)
        found = self.batch_loss(places, images, keys)
        found["loss"].backward()
        self._optimizer.step()
        return {name: value.detach() for name, value in found.items()}

    def _save_if_due(self) -> None:
        if not self.trial.checkpoints.is_due():
            return
        tensors = {**state_of(self.model, self._optimizer), "total": self._total}
        tensors |= {f"also.{name}": tensor for name, tensor in self.also_kept().items()}
        of_best, best = self._choice.state()
        values = {"epoch": self.epoch, "batch": self.batch, "history": list(self._history), "best": best}
        self.trial.checkpoints.save(TrainingState(tensors | of_best, values))

    def _require_own_draws(self) -> None:
        tried = copies(self._train.size, device=self._device)
        for name in dict.fromkeys(self.views):
            if make := getattr(self.settings, name):
                require_own_draws(partial(self._made, make), f"the {name} of the fine-tuning", tried)

    def _made(self, make: Callable[..., nn.Module]) -> nn.Module:
        """Return an augmentation, on the device."""
        return make(size=self._train.size).to(self._device)

    def _restore(self) -> None:
        """Go on from a checkpoint, if there is one."""
        state = resume(self.trial.checkpoints, self.model, self._optimizer)
        if state is None:
            return
        self._total.copy_(state.tensors["total"])
        for name, tensor in self.also_kept().items():
            tensor.copy_(state.tensors[f"also.{name}"])
        self.epoch, self.batch = state.values["epoch"], state.values["batch"]
        self._history = list(state.values["history"])
        self._choice.restore(state.tensors, state.values["best"])

    @torch.no_grad()
    def _predict(self, images: DeviceImages) -> Tensor:
        """Return the logits of images, in evaluation mode."""
        predictor = self.predictor.eval()
        places = torch.arange(len(images)).split(evaluation_batch(images.size, predictor[0]))
        return torch.cat([self.outputs(batch, predictor) for _, batch in images.stream(places)])

    def outputs(self, images: Tensor, model: nn.Sequential | None = None) -> Tensor:
        """Return what the head makes of a batch, such as its logits, (B, C) float32.

        The head is float32 whatever the encoder is: rounded logits tie, and ties decide accuracy and AUROC.

        Args:
            images: (B, 3, H, W) in [0, 1].
            model: an encoder and a head; None: those that are trained.
        """
        encoder, head = self.model if model is None else model
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            features = encoder(images)
        found: Tensor = head(features.float())
        return found
