"""Linear probes on the features of one encoder, trained together as one batched problem.

Each probe has its own labelled images, batches, step count and epoch that counts. What it ends as does not depend, to
the bit on the processor, on which others are trained with it: every operation works on each probe by itself, in shapes
that its own settings decide. The gradient of a linear layer under cross-entropy is written out, so no graph is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.datasets import Task
from medssl_bench.evaluators.base import Evaluation, Trial
from medssl_bench.evaluators.probe_trial import Probe, ProbeSettings

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8  # torch's defaults of AdamW
_ALIGNED = 16
"""Rows and columns of matrices are filled up to a multiple of this, which is 64 bytes. What a vector instruction does
at the end of an array, and what a product does with one that begins elsewhere, is rounded in another way."""

_LONGEST = 384
"""The longest product that torch does itself, as a multiple of `_ALIGNED`."""


def train_probes(trials: Sequence[Trial], settings: ProbeSettings) -> list[Evaluation]:
    """Train a probe for each trial, and predict its test images.

    Args:
        trials: of one data set and one task.
        settings: how.

    Returns:
        One evaluation for each trial, in their order.
    """
    probes = [Probe(trial, settings) for trial in trials]
    groups: dict[tuple[int, int], list[Probe]] = {}
    for probe in probes:
        groups.setdefault((id(probe.trial.features), probe.width), []).append(probe)
    for members in groups.values():
        with torch.no_grad():
            _Group(members, settings).run()
    return [probe.result for probe in probes]


class _Group:
    """Probes on the same features whose batches have the same number of rows.

    The matrix of each is filled up with rows and columns without use.
    """

    def __init__(self, probes: list[Probe], settings: ProbeSettings) -> None:
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
            probe.end(matrix, self._settings.weight_decay)

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
        lr = self._settings.rate(epoch, self._settings.lr)
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
    """Return the sum of each row, as a product: torch adds in an order that depends on how many rows there are.

    Long rows are added in parts: a product of 400 numbers or more is left to a library, which adds in another order if
    there are several.
    """
    while True:
        rows, length = numbers.shape
        numbers = F.pad(numbers, (0, -length % (_ALIGNED if length <= _LONGEST else _LONGEST)))
        parts = numbers.view(-1, min(numbers.shape[1], _LONGEST))
        sums = torch.bmm(parts[:, None], torch.ones_like(parts)[:, :, None]).view(rows, -1)
        if sums.shape[1] == 1:
            return sums[:, 0]
        numbers = sums
