"""One linear probe on the features of an encoder: what it is trained on, how, and what has been found of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from medssl_bench.datasets import Task
from medssl_bench.evaluators.balance import Balance, balanced_labels, class_weights, loss_weights
from medssl_bench.evaluators.base import Evaluation, Trial
from medssl_bench.evaluators.classification import probabilities, targets
from medssl_bench.evaluators.convergence import Problem, flags, loss_gap
from medssl_bench.evaluators.minibatches import minibatches
from medssl_bench.evaluators.spying import spied
from medssl_bench.randomness import forked
from medssl_bench.training.schedule import Schedule, multistep, rate_at


@dataclass(frozen=True)
class ProbeSettings:
    """How to train: parameters of the `LinearProbe`, with the epochs at which the learning rate drops."""

    epochs: int
    lr: float
    weight_decay: float
    batch_size: int
    milestones: tuple[int, int]
    validate_every: int
    balance: Balance
    optimizer: Callable[..., Optimizer] | None = None
    schedule: Schedule | None = None

    def rate(self, epoch: int, lr: float) -> float:
        """Return the learning rate of an epoch, of an optimiser whose rate is `lr`: by the schedule, else by drops."""
        if self.schedule is not None:
            return rate_at(self.schedule, epoch, self.epochs, lr)
        return multistep(epoch, start=lr, milestones=self.milestones)


class Probe:
    """One probe: what it is trained on, and what has been found.

    A probe is a matrix, (D + 1, C): a row for each feature and one for the bias, whose feature is always 1.

    Attributes:
        start: the matrix that it begins with.
        wanted: (n, C) what the labelled images are: one-hot classes, or 0 and 1 for each label.
        counts: (n,) how much each of them counts in a loss.
        steps: batches of an epoch.
        width: rows of its batches, the missing ones of a smaller last batch included.
    """

    def __init__(self, trial: Trial, settings: ProbeSettings) -> None:
        assert trial.features is not None
        self.trial = trial
        self.task, classes = trial.info.task, len(trial.info.classes)
        self._settings = settings
        labels = trial.splits["train"].labels[trial.train]
        wanted = targets(self.task, labels)
        self.wanted = wanted if self.task is Task.MULTI_LABEL else F.one_hot(wanted, classes).float()
        weights = loss_weights(settings.balance, trial)
        self.counts = torch.ones(len(wanted)) if weights is None else weights.cpu()[wanted]
        self._balanced_by = balanced_labels(settings.balance, trial)
        self.width = min(settings.batch_size, len(trial.train))
        self.steps = len(self.batches(0))
        with forked(trial.stream("probe weights")):
            start = nn.Linear(trial.features["train"].shape[1], classes)
        self.start = torch.cat([start.weight.T, start.bias[None]]).detach()
        chosen_by = trial.choice()
        self._best, self._watched = trial.best_epoch(), None
        if chosen_by is not None:
            watched = trial.features[chosen_by.split]
            if not np.array_equal(chosen_by.places, np.arange(len(watched))):  # else all probes share them
                watched = watched[chosen_by.places]
            self._watched = watched.to(trial.device)
        self.result = Evaluation()

    def batches(self, epoch: int) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
        """Return the batches of an epoch, as places among the labelled images."""
        order = self.trial.stream("probe batches", epoch=epoch)
        return minibatches(len(self.trial.train), self._settings.batch_size, order, self._balanced_by)

    def look(self, epoch: int, matrix: Tensor, loss: float) -> None:
        """Note how the probe does at the end of an epoch."""
        row = {"epoch": float(epoch), "loss": loss}
        if self._best is not None and self._watched is not None:
            state = _as_layer(matrix)
            found = self._best.look(epoch, F.linear(self._watched, **state), state)
            row |= {f"val_{name}": value for name, value in found.items()}
        self.trial.report(epoch, self._settings.epochs, row)
        if self.trial.spy:
            assert self.trial.features is not None
            test = self.trial.features["test"].to(self.trial.device)
            row = row | spied(self.trial, probabilities(self.task, F.linear(test, **_as_layer(matrix))))
        self.result.history.append(row)

    def end(self, matrix: Tensor, weight_decay: float) -> None:
        """Predict the test images, after the last epoch and at the one that counts.

        Args:
            matrix: the probe after the last epoch.
            weight_decay: that keeps weights within its inverse, as AdamW's does; 0: none does.
        """
        assert self.trial.features is not None
        test = self.trial.features["test"].to(self.trial.device)
        state, self.result.selected_epoch = _as_layer(matrix), self._settings.epochs - 1
        self.result.last_scores = probabilities(self.task, F.linear(test, **state))
        if self._best is not None:
            self._best.require_chosen()
            state, self.result.selected_epoch = self._best.state, self._best.epoch
        self.result.scores = probabilities(self.task, F.linear(test, **state))
        if len(self.trial.val):
            val = self.trial.features["val"][torch.from_numpy(self.trial.val)].to(self.trial.device)
            self.result.val_scores = probabilities(self.task, F.linear(val, **state))
        self.result.weights["head"] = dict(state)
        self._note_convergence(_as_layer(matrix), weight_decay)

    def _note_convergence(self, last: dict[str, Tensor], weight_decay: float) -> None:
        """Note how far from its end the training was: alone, so that company changes nothing."""
        assert self.trial.features is not None
        assert self.result.selected_epoch is not None
        counts = self.counts if self._balanced_by is None else torch.from_numpy(_balanced(self._balanced_by))
        inputs = self.trial.features["train"][torch.from_numpy(self.trial.train)]
        inputs, wanted, shares = (part.to(self.trial.device) for part in (inputs, self.wanted, counts / counts.sum()))
        problem = Problem(inputs, wanted, shares, multi_label=self.task is Task.MULTI_LABEL)
        gap = loss_gap(problem, last["weight"], last["bias"], weight_decay)
        self.result.metrics["loss_gap"] = gap
        first_drop = min(self._settings.milestones[0], self._settings.epochs - 1)
        self.result.flags |= flags(gap, self.result.selected_epoch, first_drop)


def _balanced(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return how much each image counts on average where an epoch has every class equally often."""
    return class_weights(labels, int(labels.max()) + 1)[labels]


def _as_layer(matrix: Tensor) -> dict[str, Tensor]:
    """Return a probe's matrix, (D + 1, C), as the weights of a linear layer."""
    return {"weight": matrix[:-1].T.contiguous(), "bias": matrix[-1].clone()}
