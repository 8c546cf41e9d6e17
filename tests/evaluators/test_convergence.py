"""Whether a probe had converged, held against the optimum that scikit-learn finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from medssl_bench.datasets import Task
from medssl_bench.datasets.base import LABELLED_TASKS

COUNTS = {"train": 400, "val": 40, "test": 40}
FLAG = "probe_not_converged"


@pytest.fixture
def judge(make_trial, make_evaluator):
    """Judge a cell whose classes overlap, so that the optimum is finite."""

    def judge(task=Task.MULTI_CLASS, selection="last", noise=2.0, **parameters):
        trial = make_trial(
            task, classes=2 if task is Task.BINARY else 3, noise=noise, counts=COUNTS, selection=selection
        )
        parameters = {"batch_size": 64, "weight_decay": 0.0, **parameters}
        return trial, make_evaluator("linear_probe", **parameters).evaluate(trial)

    return judge


def gap_by_hand(trial, found):
    """Return what is left of the way from the constant prediction's loss to the optimum's."""
    features, labels = trial.features["train"].numpy(), trial.splits["train"].labels
    logits = torch.nn.functional.linear(trial.features["train"], **found.weights["head"]).double()
    columns = [labels[:, 0]] if trial.info.task is not Task.MULTI_LABEL else list(labels.T)
    gaps = []
    for place, truth in enumerate(columns):
        best = LogisticRegression(C=1e6, tol=1e-8, max_iter=5000).fit(features, truth).predict_proba(features)
        several = trial.info.task is Task.MULTI_LABEL
        own = (logits[:, place].sigmoid() if several else logits.softmax(1)).numpy()
        constant = np.tile(np.bincount(truth) / len(truth), (len(truth), 1))
        known = np.unique(labels)
        gaps.append([log_loss(truth, scores, labels=known) for scores in (own, best, constant)])
    now, least, most = np.mean(gaps, axis=0)
    return (now - least) / (most - least)


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
@pytest.mark.parametrize(("epochs", "lr"), [(1, 1e-3), (10, 1e-3), (30, 1e-3)])
def test_the_gap_is_that_to_scikit_learns_optimum(judge, task, epochs, lr):
    trial, found = judge(task, epochs=epochs, lr=lr)
    expected = gap_by_hand(trial, found)
    assert found.metrics["loss_gap"] == pytest.approx(expected, rel=0.02, abs=0.02)
    assert (FLAG in found.flags) == (expected > 0.25)


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
def test_a_probe_that_is_trained_long_enough_is_fine(judge, task):
    trial, found = judge(task, epochs=100, lr=1e-2)
    assert gap_by_hand(trial, found) < 0.05
    assert found.metrics["loss_gap"] < 0.05
    assert not found.flags


def test_a_probe_that_was_cut_short_is_told_with_what_is_left(judge):
    _, found = judge(epochs=1)
    assert "the probe had not converged (its training loss had fallen " in found.flags[FLAG]


def test_classes_that_are_told_apart_wholly_are_no_reason(judge):
    """There the loss falls for ever; nothing hangs on how near to 0 it is."""
    _, found = judge(noise=0.05, epochs=100, lr=1e-2)
    assert found.metrics["loss_gap"] < 0.2
    assert not found.flags


def test_a_probe_that_had_seen_its_best_epoch_is_not_told(judge):
    """Then more epochs would not be chosen."""
    _, found = judge(selection="validation", epochs=10, validate_every=1)
    first_drop = 6
    assert found.metrics["loss_gap"] > 0.25
    assert (FLAG in found.flags) == (found.selected_epoch >= first_drop)
    _, last = judge(epochs=10, validate_every=1)
    assert FLAG in last.flags


@pytest.mark.parametrize("balance", ["undersample", "oversample", "class_weights"])
@pytest.mark.parametrize(("epochs", "lr", "flagged"), [(1, 1e-3, True), (100, 1e-2, False)])
def test_balanced_classes(judge, balance, epochs, lr, flagged):
    _, found = judge(balance=balance, epochs=epochs, lr=lr)
    assert (FLAG in found.flags) is flagged


def test_the_reading_whose_rate_drops_late_is_told_too(judge):
    _, found = judge(epochs=3, drops="as_run")
    assert FLAG in found.flags
