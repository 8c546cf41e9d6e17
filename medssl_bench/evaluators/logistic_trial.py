"""One logistic regression: what is fitted on which images, how C is chosen, and what that predicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from medssl_bench.datasets import Task
from medssl_bench.datasets.grouped_splits import drawn_splits
from medssl_bench.errors import StageError
from medssl_bench.evaluators.balance import Balance, loss_weights
from medssl_bench.evaluators.base import Evaluation, Trial
from medssl_bench.evaluators.classification import BestEpoch, probabilities
from medssl_bench.evaluators.logistic_path import Layers, LogisticPath

if TYPE_CHECKING:
    from medssl_bench.datasets.base import SplitName

_NOISE = 1e-6
"""A feature that deviates by less than this part of its largest value is constant but for rounding."""

_NEVER = -200.0
"""The logit of a class that no labelled image is of: its probability is 0 in float32."""


@dataclass(frozen=True)
class LogisticSettings:
    """How to fit: parameters of `Logistic`, and the values of C, rising."""

    path: tuple[float, ...]
    folds: int
    iterations: int
    balance: Balance


@dataclass(frozen=True)
class _Labelled:
    """Images to fit on.

    Attributes:
        features: (n, D) float64.
        labels: (n, L) as the data set has them.
        groups: (n,) which of them belong together; None: no two do.
        task: what labels mean.
        classes: number of classes, or of labels.
        weights: (C,) how much an image of each class counts; None: each counts 1.
    """

    features: Tensor
    labels: NDArray[np.int64]
    groups: NDArray[np.int64] | None
    task: Task
    classes: int
    weights: Tensor | None

    def some(self, places: NDArray[np.int64]) -> _Labelled:
        """Return some of the images."""
        groups = None if self.groups is None else self.groups[places]
        return replace(
            self, features=self.features[torch.from_numpy(places)], labels=self.labels[places], groups=groups
        )

    def fit(self, values: tuple[float, ...], iterations: int) -> _Fit:
        """Return a layer for each C, from features as they are to logits of all classes."""
        wanted, columns, constant = self._decisions(len(values))
        middle, deviation = self.features.mean(dim=0), self.features.std(dim=0, correction=0)
        scale = torch.where(deviation > _NOISE * self.features.abs().amax(dim=0), deviation, 1.0)
        if not len(columns):
            return _Fit(None, columns, constant, middle, scale)
        shares = torch.full((len(wanted),), 1 / len(wanted), dtype=torch.float64, device=wanted.device)
        if self.weights is not None:
            counts = self.weights.cpu().double()[torch.from_numpy(self.labels[:, 0])].to(wanted.device)
            shares = counts / counts.sum()
        path = LogisticPath(
            (self.features - middle) / scale,
            wanted,
            shares,
            1 / (len(wanted) * torch.tensor(values, dtype=torch.float64, device=wanted.device)),
            independent=self.task is Task.MULTI_LABEL or len(columns) == 1,
            iterations=iterations,
        )
        return _Fit(path, columns, constant, middle, scale)

    def held_out_logits(self, settings: LogisticSettings) -> Tensor:
        """Return the logits of each image (K, n, C), of layers that are fitted without its fold.

        Raises:
            StageError: there are too few images, or groups, for two folds.
        """
        number = len(self.labels) if self.groups is None else len(np.unique(self.groups))
        if number < 2:
            raise StageError(
                "C is chosen by cross-validation, as no validation image has a label; that needs two labelled images "
                "(or groups of them) or more"
            )
        shares = dict.fromkeys(range(min(settings.folds, number)), 1.0)
        logits = self.features.new_empty(len(settings.path), len(self.labels), self.classes)
        for fold in drawn_splits(self.labels, self.groups, shares, seed=0).values():
            rest = np.setdiff1d(np.arange(len(self.labels)), fold)
            held_out = torch.from_numpy(fold).to(logits.device)
            logits[:, held_out] = (
                self.some(rest).fit(settings.path, settings.iterations).layers.logits(self.features[held_out])
            )
        return logits

    def _decisions(self, values: int) -> tuple[Tensor, list[int], Layers]:
        """Return what is to be decided.

        Returns:
            What images are, (n, c) float64; the columns of the logits (c,) that this is of, which the other columns are
            constant beside; and layers with those constants.
        """
        bias = self.features.new_zeros(values, self.classes)
        if self.task is Task.MULTI_LABEL:
            often = self.labels.mean(axis=0)
            bias[:, often == 0], bias[:, often == 1] = _NEVER, -_NEVER
            columns = np.flatnonzero((often > 0) & (often < 1)).tolist()
            wanted = torch.from_numpy(self.labels[:, columns])
        else:
            present = np.unique(self.labels)
            bias[:] = _NEVER
            bias[:, present] = 0
            # one of two is one decision, and the only one there is none
            columns = present.tolist() if len(present) > 2 else present[1:].tolist()
            wanted = torch.from_numpy(self.labels == np.array(columns, dtype=np.int64))
        weight = self.features.new_zeros(values, self.classes, self.features.shape[1])
        return wanted.to(weight), columns, Layers(weight, bias)


@dataclass(frozen=True, eq=False)
class _Fit:
    """Layers from features as they are to logits of all classes.

    Attributes:
        path: layers from standardised features to what is decided; None: nothing is.
        columns: the columns of the logits that this is of.
        constant: layers with the logits of the other columns.
        middle: (D,) the mean of each feature.
        scale: (D,) its deviation.
    """

    path: LogisticPath | None
    columns: list[int]
    constant: Layers
    middle: Tensor
    scale: Tensor

    @property
    def layers(self) -> Layers:
        """All of them, roughly."""
        return self.constant if self.path is None else self._whole(self.path.layers)

    def optimum(self, number: int) -> tuple[Layers, bool]:
        """Return one of them exactly, and whether the iterations were enough for that."""
        if self.path is None:
            return self.constant, True
        found, converged = self.path.optimum(number)
        return self._whole(found), converged

    def _whole(self, found: Layers) -> Layers:
        weight, bias = (part[: len(found.bias)].clone() for part in (self.constant.weight, self.constant.bias))
        weight[:, self.columns] = found.weight / self.scale
        bias[:, self.columns] = found.bias - weight[:, self.columns] @ self.middle
        return Layers(weight, bias)


def fit(trial: Trial, settings: LogisticSettings) -> Evaluation:
    """Fit the path, choose C, and predict the test images.

    Args:
        trial: what to train on.
        settings: how.

    Raises:
        StageError: the criterion has no value for any C.
    """
    train, chosen_by = _labelled(trial, settings), trial.choice()
    if chosen_by is None:
        labels, logits = train.labels, train.held_out_logits(settings)
    else:
        path = train.fit(settings.path, settings.iterations)
        labels, watched = chosen_by.labels, _features(trial, chosen_by.split, chosen_by.places)
        logits = path.layers.logits(watched)
    best = BestEpoch(trial.info.task, labels, trial.criterion)
    looks = [best.look(place, found, {}) for place, found in enumerate(logits)]
    best.require_chosen()
    chosen = settings.path[best.epoch]
    if chosen_by is None:
        layer, converged = train.fit((chosen,), settings.iterations).optimum(0)
    else:
        layer, converged = path.optimum(best.epoch)
    weight, bias = layer.weight[0].float(), layer.bias[0].float()
    test = np.arange(len(trial.splits["test"].labels))
    scores = probabilities(trial.info.task, F.linear(_features(trial, "test", test, torch.float32), weight, bias))
    val_scores = None
    if len(trial.val):
        val = _features(trial, "val", trial.val, torch.float32)
        val_scores = probabilities(trial.info.task, F.linear(val, weight, bias))
    flags = {}
    if not converged:
        done = f"{settings.iterations} iterations of conjugate gradients were too few at C = {chosen:.2g}"
        flags["probe_not_converged"] = f"the probe had not converged ({done}; give it more)"
    arrays: dict[str, NDArray[np.generic]] = {"path_c": np.array(settings.path)}
    arrays |= {f"path_{name}": np.array([look.get(name, np.nan) for look in looks]) for name in looks[0]}
    weights = {"head": {"weight": weight, "bias": bias}}
    return Evaluation(scores, metrics={"C": chosen}, flags=flags, arrays=arrays, weights=weights, val_scores=val_scores)


def _labelled(trial: Trial, settings: LogisticSettings) -> _Labelled:
    images = trial.splits["train"]
    return _Labelled(
        features=_features(trial, "train", trial.train),
        labels=images.labels[trial.train],
        groups=None if images.groups is None else images.groups[trial.train],
        task=trial.info.task,
        classes=len(trial.info.classes),
        weights=loss_weights(settings.balance, trial),
    )


def _features(trial: Trial, split: SplitName, places: NDArray[np.int64], dtype: torch.dtype = torch.float64) -> Tensor:
    """Return the features of some images of a split, on the device if that has float64."""
    assert trial.features is not None
    device = "cpu" if trial.device.type == "mps" else trial.device
    found = trial.features[split]
    if not np.array_equal(places, np.arange(len(found))):
        found = found[torch.from_numpy(places)]
    return found.to(device, dtype)
