"""What classifiers share: loss, probabilities, and the choice of the epoch that counts."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from medssl_bench.datasets import Task
from medssl_bench.metrics.classification import measure


def targets(task: Task, labels: NDArray[np.int64]) -> Tensor:
    """Return labels as the loss wants them: (N,) class numbers, or (N, L) floats for a multi-label task."""
    if task is Task.MULTI_LABEL:
        return torch.from_numpy(labels.astype(np.float32))
    return torch.from_numpy(labels[:, 0].astype(np.int64))


def loss(task: Task, logits: Tensor, wanted: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return cross-entropy, or for a multi-label task binary cross-entropy, as the mean over images (and labels).

    Args:
        task: what the labels mean.
        logits: (N, C).
        wanted: from `targets`.
        weights: (C,) of the classes; the mean is then a weighted one. Not for a multi-label task.
    """
    if task is Task.MULTI_LABEL:
        return F.binary_cross_entropy_with_logits(logits, wanted)
    return F.cross_entropy(logits, wanted, weight=weights)


def probabilities(task: Task, logits: Tensor) -> NDArray[np.float32]:
    """Return probabilities of the classes, or of each label of a multi-label task, (N, C) float32."""
    logits = logits.float()
    scores = logits.sigmoid() if task is Task.MULTI_LABEL else logits.softmax(dim=1)
    result: NDArray[np.float32] = scores.cpu().numpy()
    return result


class BestEpoch:
    """Keeps the weights of the epoch that does best on the images it is chosen by.

    The criterion is accuracy, and among equals the lower loss; of a multi-label task, AUROC, since its accuracy
    hardly moves where most labels are 0.

    Args:
        task: what the labels mean.
        labels: (m, L) labels of the images it is chosen by.

    Attributes:
        epoch: 0-based; -1 before the first look.
        rank: what the best epoch has: its criterion, and its negative loss.
        state: its weights.
    """

    def __init__(self, task: Task, labels: NDArray[np.int64]) -> None:
        self._task = task
        self._labels = labels
        self._targets = targets(task, labels)
        self.rank = (-math.inf, -math.inf)
        self.epoch = -1
        self.state: dict[str, Tensor] = {}

    def look(self, epoch: int, logits: Tensor, state: Mapping[str, Tensor]) -> dict[str, float]:
        """Look at an epoch, and keep a copy of its weights if it is the best so far.

        Args:
            epoch: 0-based.
            logits: (m, C) of the images it is chosen by.
            state: the weights.

        Returns:
            The metrics of those images.
        """
        logits = logits.float().cpu()
        measured = measure(self._task, self._labels, probabilities(self._task, logits))
        metrics = {name: value for name, value in measured.items() if value is not None}
        metrics["loss"] = float(loss(self._task, logits, self._targets))
        watched = "auroc" if self._task is Task.MULTI_LABEL else "accuracy"
        rank = (metrics.get(watched, 0.0), -metrics["loss"])
        if rank > self.rank:
            self.rank, self.epoch = rank, epoch
            self.state = {name: tensor.detach().clone() for name, tensor in state.items()}
        return metrics
