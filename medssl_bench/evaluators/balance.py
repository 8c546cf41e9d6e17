"""Ways to make up for classes of unequal size in downstream training."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from medssl_bench.datasets import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.evaluators.base import Trial

Balance = Literal["none", "undersample", "oversample", "class_weights"]


def refuses_balance(balance: Balance, info: DatasetInfo) -> str:
    """Return why classes of a data set cannot be balanced, or an empty string."""
    if balance != "none" and info.task is Task.MULTI_LABEL:
        return f"balance = {balance!r} needs one class an image, and its images have several labels"
    return ""


def undersampled(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the places of as many images of each class as the smallest one has, in rising order.

    Args:
        labels: (n,) class numbers; classes without an image do not count.
        rng: draws which images are kept.
    """
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    fewest = min(map(len, members))
    kept: NDArray[np.int64] = np.sort(np.concatenate([rng.permutation(places)[:fewest] for places in members]))
    return kept


def oversampled(labels: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the places of one epoch in which every class that is there comes equally often.

    An epoch has as many images as without, so the cost is the same. Images of a small class come again once all of them
    have come; of a large class some are left out, others in each epoch. What is left of the division goes to classes
    at random.

    Args:
        labels: (n,) class numbers.
        rng: draws them.

    Returns:
        (n,) places, in random order.
    """
    classes = np.unique(labels)
    quotas = np.full(len(classes), len(labels) // len(classes))
    quotas[rng.permutation(len(classes))[: len(labels) % len(classes)]] += 1
    drawn = []
    for label, quota in zip(classes, quotas, strict=True):
        places = np.flatnonzero(labels == label)
        rounds = -(-int(quota) // len(places))
        drawn.append(np.concatenate([rng.permutation(places) for _ in range(rounds)] or [places[:0]])[:quota])
    order: NDArray[np.int64] = rng.permutation(np.concatenate(drawn))
    return order


def class_weights(labels: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Return n / (k n_c) for each class, scikit-learn's ``balanced``; 1 for a class that is not there.

    Args:
        labels: (n,) class numbers; k of the classes are there.
        classes: number of classes.
    """
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = np.ones(classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights.astype(np.float32)


def balanced_trial(balance: Balance, trial: Trial) -> Trial:
    """Return the trial to train on: of an undersampled one, with fewer labelled images, the same in every epoch."""
    if balance != "undersample":
        return trial
    rng = np.random.Generator(np.random.PCG64(trial.stream("undersampling")))
    return replace(trial, train=trial.train[undersampled(trial.splits["train"].labels[trial.train, 0], rng)])


def loss_weights(balance: Balance, trial: Trial) -> Tensor | None:
    """Return the weights of the classes in a trial's loss, (C,) on its device, or None where all count the same."""
    if balance != "class_weights":
        return None
    import torch

    labels = trial.splits["train"].labels[trial.train, 0]
    return torch.from_numpy(class_weights(labels, len(trial.info.classes))).to(trial.device)


def balanced_labels(balance: Balance, trial: Trial) -> NDArray[np.int64] | None:
    """Return the labels by which an epoch is oversampled, (n,), or None where every image comes once."""
    return trial.splits["train"].labels[trial.train, 0] if balance == "oversample" else None
