"""A linear probe that is trained by itself, by an optimiser that the suite names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from medssl_bench.datasets import Task
from medssl_bench.evaluators.base import Evaluation, Trial
from medssl_bench.evaluators.convergence import Problem
from medssl_bench.evaluators.probe_trial import Probe, ProbeSettings
from medssl_bench.randomness import forked
from medssl_bench.training.before_step import set_progress
from medssl_bench.training.optimizer import made_by, make_optimizer, set_learning_rate


def train_probe(trial: Trial, settings: ProbeSettings) -> Evaluation:
    """Train a probe, and predict the test images.

    It begins with the weights, and sees the batches, that a probe without an optimiser of its own does.

    Args:
        trial: what to train on.
        settings: how; they have an optimiser.

    Raises:
        StageError: the optimiser's factory gives no optimiser.
    """
    probe = Probe(trial, settings)
    with forked(trial.stream("probe optimizer")):
        _Training(probe, settings).run()
    return probe.result


class _Training:
    def __init__(self, probe: Probe, settings: ProbeSettings) -> None:
        trial = probe.trial
        assert trial.features is not None
        self._probe, self._settings, self._device = probe, settings, trial.device
        self._features = trial.features["train"][torch.from_numpy(trial.train)].to(trial.device)
        self._wanted, self._counts = probe.wanted.to(trial.device), probe.counts.to(trial.device)
        self._weight = nn.Parameter(probe.start[:-1].T.contiguous().to(trial.device))
        self._bias = nn.Parameter(probe.start[-1].clone().to(trial.device))
        groups = [{"params": [self._weight, self._bias]}]
        self._optimizer = make_optimizer(groups, {}, make=made_by(settings.optimizer))

    def run(self) -> None:
        """Train, and note what is found."""
        epochs, every = self._settings.epochs, self._settings.validate_every
        for epoch in range(epochs):
            loss = self._epoch(epoch)
            if self._probe.trial.looks_at(epoch, epochs, every):
                self._probe.look(epoch, self._matrix, float(loss) / self._probe.steps)
        self._probe.end(self._matrix, _bounding_decay(self._optimizer))

    @property
    def _matrix(self) -> Tensor:
        return torch.cat([self._weight.T, self._bias[None]]).detach()

    def _epoch(self, epoch: int) -> Tensor:
        """Train for an epoch, and return the sum of its losses."""
        set_learning_rate(self._optimizer, self._settings.rate(epoch, self._optimizer.defaults["lr"]))
        set_progress(self._optimizer, epoch / self._settings.epochs)
        total = torch.zeros((), device=self._device)
        for places in self._batches(epoch):
            shares = self._counts[places]
            several = self._probe.task is Task.MULTI_LABEL
            problem = Problem(self._features[places], self._wanted[places], shares / shares.sum(), several)
            self._optimizer.zero_grad(set_to_none=True)
            loss = problem.loss(self._weight, self._bias)
            loss.backward()
            self._optimizer.step()
            total += loss.detach()
        return total

    def _batches(self, epoch: int) -> Iterator[Tensor]:
        """Return the images of each batch, moved to the device at once."""
        batches = self._probe.batches(epoch)
        index = torch.from_numpy(np.concatenate(batches)).to(self._device)
        return iter(index.split([len(batch) for batch in batches]))


def _bounding_decay(optimizer: Optimizer) -> float:
    """Return the weight decay if it keeps weights within its inverse, as AdamW's does; else 0."""
    if not isinstance(optimizer, AdamW):
        return 0.0
    follows = [min(group["decay_from"], group["decay_to"]) for group in optimizer.param_groups if "decay" in group]
    return min(follows, default=float(optimizer.defaults.get("weight_decay", 0.0)))
