"""Probes that are trained together end as each would alone, to the bit."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch

from medssl_bench.datasets import Split, Task
from medssl_bench.datasets.base import LABELLED_TASKS

SETTINGS = {"epochs": 6, "lr": 0.05, "weight_decay": 0.1, "batch_size": 8, "validate_every": 2}


def of_dim(trial, dim):
    """Return a trial whose features are as many as asked for."""
    generator = torch.Generator().manual_seed(0)
    features = {
        name: torch.cat([found, torch.randn(len(found), dim - found.shape[1], generator=generator)], dim=1)
        for name, found in trial.features.items()
    }
    return replace(trial, features=features)


@pytest.fixture
def cells(make_trial):
    """Return what makes trials of several sizes, draws and seeds on the same features, for a task."""

    def make(task):
        first = of_dim(make_trial(task, classes=2 if task is Task.BINARY else 5, noise=1.0), 37)
        rng = np.random.default_rng(0)
        found = []
        for place in range(12):
            size = [3, 5, 8, 9, 17, 30][place % 6]
            train = np.sort(rng.choice(45, size, replace=False))
            selection = ["validation", "last", "test"][place % 3]
            found.append(replace(first, train=train, seed=place // 2, selection=selection))
        return found

    return functools.cache(make)


def same(one, other):
    assert one.history == other.history
    assert (one.metrics, one.flags) == (other.metrics, other.flags)
    assert one.selected_epoch == other.selected_epoch
    np.testing.assert_array_equal(one.scores, other.scores)
    np.testing.assert_array_equal(one.last_scores, other.last_scores)
    for name, tensor in one.weights["head"].items():
        assert torch.equal(tensor, other.weights["head"][name])


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
@pytest.mark.parametrize("attempt", range(6))
def test_the_result_does_not_depend_on_who_shares_the_batch(task, attempt, cells, make_evaluator):
    evaluator = make_evaluator("linear_probe", **SETTINGS)
    rng = np.random.default_rng(attempt)
    trials = [cells(task)[number] for number in rng.integers(0, 12, rng.integers(2, 10))]

    together = evaluator.evaluate_together(trials)

    for place in {0, len(trials) // 2, len(trials) - 1}:
        same(together[place], evaluator.evaluate(trials[place]))


@pytest.mark.parametrize("balance", ["undersample", "oversample", "class_weights"])
def test_so_it_is_with_balanced_classes(balance, cells, make_evaluator):
    evaluator = make_evaluator("linear_probe", **SETTINGS, balance=balance)

    together = evaluator.evaluate_together(cells(Task.MULTI_CLASS))

    for trial, found in zip(cells(Task.MULTI_CLASS), together, strict=True):
        same(found, evaluator.evaluate(trial))


def test_many_at_once_and_a_dim_of_a_real_encoder(make_trial, make_evaluator):
    first = of_dim(make_trial(Task.MULTI_CLASS, classes=8, noise=1.0), 512)
    trials = [replace(first, seed=seed, train=np.arange(seed % 7, 40)) for seed in range(50)]
    evaluator = make_evaluator("linear_probe", **{**SETTINGS, "epochs": 3})

    together = evaluator.evaluate_together(trials)

    for place in (0, 13, 49):
        same(together[place], evaluator.evaluate(trials[place]))


def test_trials_on_other_features_can_share_a_call(make_trial, make_evaluator):
    trials = [make_trial(Task.MULTI_CLASS, noise=noise, train=range(20)) for noise in (0.5, 1.5)]
    evaluator = make_evaluator("linear_probe", **SETTINGS)

    for trial, found in zip(trials, evaluator.evaluate_together(trials), strict=True):
        same(found, evaluator.evaluate(trial))


@pytest.mark.parametrize(("batch", "classes"), [(50, 8), (64, 8), (500, 3)])
@pytest.mark.parametrize("task", [Task.MULTI_CLASS, Task.MULTI_LABEL])
def test_so_it_is_with_long_batches_and_many_classes(batch, classes, task, make_trial, make_evaluator):
    """A product of 400 numbers or more is added in another order where there are several."""
    first = make_trial(task, classes=classes)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (batch, classes)) if task is Task.MULTI_LABEL else rng.integers(0, classes, (batch, 1))
    train = Split(np.zeros((batch, *first.splits["train"].images.shape[1:]), np.uint8), labels)
    features = {**first.features, "train": torch.randn(batch, first.features["train"].shape[1])}
    first = replace(first, splits={**first.splits, "train": train}, features=features, train=np.arange(batch))
    balance = "none" if task is Task.MULTI_LABEL else "class_weights"
    evaluator = make_evaluator("linear_probe", **{**SETTINGS, "batch_size": batch}, balance=balance)

    trials = [replace(first, seed=seed) for seed in range(3)]
    for trial, found in zip(trials, evaluator.evaluate_together(trials), strict=True):
        same(found, evaluator.evaluate(trial))
