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
from medssl_bench.errors import StageError
from medssl_bench.metrics import Predictions
from medssl_bench.metrics.classification import measure
from medssl_bench.metrics.criterion import Criterion, default_criterion


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

    The criterion is accuracy (of a multi-label task AUROC), unless another metric is given. Among equals the lower loss
    counts, then the earlier epoch. An epoch for which a given metric is not defined is never chosen.

    Args:
        task: what the labels mean.
        labels: (m, L) labels of the images it is chosen by.
        criterion: the metric it is chosen by; None: accuracy, of a multi-label task AUROC.

    Attributes:
        epoch: 0-based; -1 while none is chosen.
        rank: what the best epoch has: its criterion, turned so that higher is better, and its negative loss.
        state: its weights.
    """

    def __init__(self, task: Task, labels: NDArray[np.int64], criterion: Criterion | None = None) -> None:
        self._task = task
        self._labels = labels
        self._targets = targets(task, labels)
        self._criterion = criterion
        self._is_default = criterion is None or criterion.is_default(task)
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
            The metrics of those images: accuracy, AUROC, balanced accuracy, the criterion, and the loss.

        Raises:
            PluginError: the criterion is a plugin's, and fails.
        """
        logits = logits.float().cpu()
        scores = probabilities(self._task, logits)
        measured = measure(self._task, self._labels, scores)
        given, is_finite = self._criterion, bool(np.isfinite(scores).all())
        if given is not None and given.name not in measured and is_finite:
            measured[given.name] = given.value(Predictions(self._task, self._labels, scores))
        metrics = {name: value for name, value in measured.items() if value is not None}
        metrics["loss"] = float(loss(self._task, logits, self._targets))
        score = self._score(metrics) if is_finite or self._is_default else None
        rank = (-math.inf if score is None else score, -metrics["loss"])
        if score is not None and rank > self.rank:
            self.rank, self.epoch = rank, epoch
            self.state = {name: tensor.detach().clone() for name, tensor in state.items()}
        return metrics

    def require_chosen(self) -> None:
        """Check, after the last epoch, that one was chosen.

        Raises:
            StageError: the criterion was defined for none.
        """
        if self.epoch < 0 and self._criterion is not None:
            raise StageError(
                f"no epoch can be chosen by {self._criterion.name!r}: after no epoch has it a value on the "
                f"{len(self._labels):,} images that the epoch is chosen by; give the comparison more "
                "`validation_labels`, or another `select_by`"
            )

    def _score(self, metrics: Mapping[str, float]) -> float | None:
        """Return how good an epoch is, by the metrics that are defined; higher is better."""
        if self._criterion is None or self._is_default:
            return metrics.get(default_criterion(self._task), 0.0)
        value = metrics.get(self._criterion.name)
        return None if value is None else self._criterion.score(value)
