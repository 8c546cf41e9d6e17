"""Linear probes on the features of one encoder, trained together as one batched problem.

Each probe has its own labelled images, batches, step count and epoch that counts. What it ends as does not depend, to
the bit on the processor, on which others are trained with it: every operation works on each probe by itself, in shapes
that its own settings decide. The gradient of a linear layer under cross-entropy is written out, so no graph is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from medssl_bench.datasets import Task
from medssl_bench.evaluators.balance import Balance, balanced_labels, class_weights, loss_weights
from medssl_bench.evaluators.base import Evaluation, Trial
from medssl_bench.evaluators.classification import BestEpoch, probabilities, targets
from medssl_bench.evaluators.convergence import Problem, flags, loss_gap
from medssl_bench.evaluators.minibatches import minibatches
from medssl_bench.randomness import forked
from medssl_bench.training.schedule import multistep

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # torch's defaults of AdamW
_ALIGNED = 16
"""Rows and columns of matrices are filled up to a multiple of this, which is 64 bytes. What a vector instruction does
at the end of an array, and what a product does with one that begins elsewhere, is rounded in another way."""


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


def train_probes(trials: Sequence[Trial], settings: ProbeSettings) -> list[Evaluation]:
    """Train a probe for each trial, and predict its test images.

    Args:
        trials: of one data set and one task.
        settings: how.

    Returns:
        One evaluation for each trial, in their order.
    """
    probes = [_Probe(trial, settings) for trial in trials]
    groups: dict[tuple[int, int], list[_Probe]] = {}
    for probe in probes:
        groups.setdefault((id(probe.trial.features), probe.width), []).append(probe)
    for members in groups.values():
        with torch.no_grad():
            _Group(members, settings).run()
    return [probe.result for probe in probes]


class _Probe:
    """One of the probes: what it is trained on, and what has been found.

    Attributes:
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
        self._best, self._watched = None, None
        if chosen_by is not None:
            self._best = BestEpoch(self.task, chosen_by.labels)
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
        self.result.history.append(row)
        self.trial.report(epoch, self._settings.epochs, row)

    def end(self, matrix: Tensor) -> None:
        """Predict the test images, after the last epoch and at the one that counts."""
        assert self.trial.features is not None
        test = self.trial.features["test"].to(self.trial.device)
        state, self.result.selected_epoch = _as_layer(matrix), self._settings.epochs - 1
        self.result.last_scores = probabilities(self.task, F.linear(test, **state))
        if self._best is not None:
            state, self.result.selected_epoch = self._best.state, self._best.epoch
        self.result.scores = probabilities(self.task, F.linear(test, **state))
        self.result.weights["head"] = dict(state)
        self._note_convergence(_as_layer(matrix))

    def _note_convergence(self, last: dict[str, Tensor]) -> None:
        """Note how far from its end the training was: alone, so that company changes nothing."""
        assert self.trial.features is not None
        assert self.result.selected_epoch is not None
        counts = self.counts if self._balanced_by is None else torch.from_numpy(_balanced(self._balanced_by))
        inputs = self.trial.features["train"][torch.from_numpy(self.trial.train)]
        inputs, wanted, shares = (part.to(self.trial.device) for part in (inputs, self.wanted, counts / counts.sum()))
        problem = Problem(inputs, wanted, shares, multi_label=self.task is Task.MULTI_LABEL)
        gap = loss_gap(problem, last["weight"], last["bias"], self._settings.weight_decay)
        self.result.metrics["loss_gap"] = gap
        first_drop = min(self._settings.milestones[0], self._settings.epochs - 1)
        self.result.flags |= flags(gap, self.result.selected_epoch, first_drop)


class _Group:
    """Probes on the same features whose batches have the same number of rows.

    A probe is a matrix: a row for each feature and one for the bias, whose feature is always 1; a column for each
    class; and some of both without use.
    """

    def __init__(self, probes: list[_Probe], settings: ProbeSettings) -> None:
        self._probes = sorted(probes, key=lambda probe: -probe.steps)  # those that still have steps to do stand first
        self._settings = settings
        trial = probes[0].trial
        assert trial.features is not None
        self._device = trial.device
        used, places = np.unique(np.concatenate([probe.trial.train for probe in self._probes]), return_inverse=True)
        features = trial.features["train"][torch.from_numpy(used)]
        self._dim = features.shape[1]
        self._features = _aligned(F.pad(features, (0, 1), value=1.0)).to(self._device)
        self._classes = self._probes[0].wanted.shape[1]
        # the last of each is what a batch is filled up with: some image, of no class, that counts for nothing
        self._none = len(places)
        self._rows = torch.from_numpy(np.append(places, 0)).to(self._device)
        wanted = F.pad(torch.cat([probe.wanted for probe in self._probes]), (0, 0, 0, 1))
        self._wanted = _aligned(wanted).to(self._device)
        self._counts = F.pad(torch.cat([probe.counts for probe in self._probes]), (0, 1)).to(self._device)
        start = torch.stack([_aligned(_aligned(probe.start).T).T for probe in self._probes])
        self._weights = start.contiguous().to(self._device)
        self._first, self._second = torch.zeros_like(self._weights), torch.zeros_like(self._weights)
        self._multi_label = probes[0].task is Task.MULTI_LABEL

    def run(self) -> None:
        """Train all probes."""
        epochs, every = self._settings.epochs, self._settings.validate_every
        for epoch in range(epochs):
            looks = self._probes[0].trial.looks_at(epoch, epochs, every)
            losses = self._epoch(epoch, wants_losses=looks)
            if looks:
                for probe, matrix, loss in zip(self._probes, self._matrices(), losses.tolist(), strict=True):
                    probe.look(epoch, matrix, loss / probe.steps)
        for probe, matrix in zip(self._probes, self._matrices(), strict=True):
            probe.end(matrix)

    def _matrices(self) -> Tensor:
        return self._weights[:, : self._dim + 1, : self._classes]

    def _epoch(self, epoch: int, *, wants_losses: bool) -> Tensor:
        """Train for an epoch; return the sum of each probe's losses, if they are wanted."""
        steps = [probe.steps for probe in self._probes]
        index = self._index(epoch, max(steps))
        rates, spreads = (numbers.to(self._device) for numbers in self._rates(epoch, max(steps)))
        losses = torch.zeros(len(steps), device=self._device)
        for step in range(max(steps)):
            active = sum(step < own for own in steps)
            found = self._step(index[:active, step], rates[:active, step], spreads[:active, step], loss=wants_losses)
            if found is not None:
                losses[:active] += found
        return losses

    def _index(self, epoch: int, steps: int) -> Tensor:
        """Return the images of each probe's batches in an epoch, (P, steps, width)."""
        index = np.full((len(self._probes), steps, self._probes[0].width), self._none)
        before = 0
        for place, probe in enumerate(self._probes):
            for step, batch in enumerate(probe.batches(epoch)):
                index[place, step, : len(batch)] = before + batch
            before += len(probe.wanted)
        return torch.from_numpy(index).to(self._device)

    def _rates(self, epoch: int, steps: int) -> tuple[Tensor, Tensor]:
        """Return what AdamW's bias corrections make of the learning rate, and of the second moment's root, (P, steps).

        Kingma and Ba 2015, sec. 2: both depend on how many steps a probe has done.
        """
        lr = multistep(epoch, start=self._settings.lr, milestones=self._settings.milestones)
        done = np.array([[epoch * probe.steps + step + 1 for step in range(steps)] for probe in self._probes])
        rates, spreads = lr / (1 - _BETA_1**done), np.sqrt(1 - _BETA_2**done)
        self._decay = 1 - lr * self._settings.weight_decay
        return torch.from_numpy(rates).float(), torch.from_numpy(spreads).float()

    def _step(self, index: Tensor, rates: Tensor, spreads: Tensor, *, loss: bool) -> Tensor | None:
        """Do a step of the first M probes.

        Args:
            index: (M, width) images.
            rates: (M,) learning rates with the first moment's correction.
            spreads: (M,) the second moment's correction.
            loss: whether the losses are wanted.

        Returns:
            The loss of each, (M,).
        """
        count, width = index.shape
        places = index.flatten()
        inputs = self._features.index_select(0, self._rows.index_select(0, places)).view(count, width, -1)
        wanted = self._wanted.index_select(0, places).view(count, width, -1)
        shares = self._counts.index_select(0, places).view(count, width)
        shares = (shares / _sums(shares)[:, None])[:, :, None]
        if self._multi_label:
            shares = shares / self._classes  # the mean is over the labels as well
        logits = torch.bmm(inputs, self._weights[:count])[:, :, : self._classes]
        scores = _aligned(_sigmoid(logits) if self._multi_label else logits.softmax(2))
        self._update(torch.bmm(inputs.mT, (scores - wanted) * shares), rates[:, None, None], spreads[:, None, None])
        if not loss:
            return None
        wanted = wanted[:, :, : self._classes]
        if self._multi_label:
            surprise = _log_sigmoid(logits) * wanted + _log_sigmoid(-logits) * (1 - wanted)
        else:
            surprise = logits.log_softmax(2) * wanted
        return -_sums((surprise * shares).flatten(1))

    def _update(self, gradient: Tensor, rates: Tensor, spreads: Tensor) -> None:
        """Do AdamW's update of the first M probes (Loshchilov and Hutter 2019, algorithm 2)."""
        count = len(gradient)
        weights, first, second = self._weights[:count], self._first[:count], self._second[:count]
        first.lerp_(gradient, 1 - _BETA_1)
        second.mul_(_BETA_2).addcmul_(gradient, gradient, value=1 - _BETA_2)
        root = second.sqrt().div_(spreads).add_(_EPSILON)
        weights.mul_(self._decay).sub_(first.div(root).mul_(rates))


def _balanced(labels: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return how much each image counts on average where an epoch has every class equally often."""
    return class_weights(labels, int(labels.max()) + 1)[labels]


def _aligned(numbers: Tensor) -> Tensor:
    """Return numbers with zeros after the last column, up to a multiple."""
    return F.pad(numbers, (0, -numbers.shape[-1] % _ALIGNED))


def _sigmoid(logits: Tensor) -> Tensor:
    """Return the logistic function, as the softmax of (x, 0): that works on each number by itself."""
    return torch.stack([logits, torch.zeros_like(logits)], dim=-1).softmax(-1)[..., 0]


def _log_sigmoid(logits: Tensor) -> Tensor:
    """Return the logarithm of `_sigmoid`."""
    return torch.stack([logits, torch.zeros_like(logits)], dim=-1).log_softmax(-1)[..., 0]


def _sums(numbers: Tensor) -> Tensor:
    """Return the sum of each row, as a product: torch adds in an order that depends on how many rows there are."""
    numbers = _aligned(numbers)
    return torch.bmm(numbers[:, None], torch.ones_like(numbers)[:, :, None])[:, 0, 0]


def _as_layer(matrix: Tensor) -> dict[str, Tensor]:
    """Return a probe's matrix, (D + 1, C), as the weights of a linear layer."""
    return {"weight": matrix[:-1].T.contiguous(), "bias": matrix[-1].clone()}
