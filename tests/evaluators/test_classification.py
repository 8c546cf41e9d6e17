"""What classifiers share: loss, probabilities, and the epoch that counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from medssl_bench.datasets import Task
from medssl_bench.datasets.base import LABELLED_TASKS
from medssl_bench.evaluators.classification import BestEpoch, loss, probabilities, targets

CLASS_TASKS = [Task.MULTI_CLASS, Task.ORDINAL, Task.BINARY]


def draw(task, count=20, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    classes = 2 if task is Task.BINARY else classes
    if task is Task.MULTI_LABEL:
        labels = rng.integers(0, 2, (count, classes))
    else:
        labels = rng.permutation(np.arange(count) % classes)[:, None]
    return labels, torch.from_numpy(rng.normal(size=(count, classes)).astype(np.float32))


@pytest.mark.parametrize("task", CLASS_TASKS)
def test_the_loss_of_classes_is_cross_entropy(task):
    labels, logits = draw(task)

    found = loss(task, logits, targets(task, labels))

    assert found.item() == pytest.approx(log_loss(labels[:, 0], logits.double().softmax(dim=1).numpy()), rel=1e-5)


def test_the_loss_of_labels_is_binary_cross_entropy():
    labels, logits = draw(Task.MULTI_LABEL)

    found = loss(Task.MULTI_LABEL, logits, targets(Task.MULTI_LABEL, labels))

    right = np.where(labels == 1, logits.double().sigmoid().numpy(), 1 - logits.double().sigmoid().numpy())
    assert found.item() == pytest.approx(-np.log(right).mean(), rel=1e-5)


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
def test_probabilities_are_float32_in_range(task):
    _, logits = draw(task)

    scores = probabilities(task, (20 * logits).bfloat16())

    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    if task is Task.MULTI_LABEL:
        np.testing.assert_allclose(scores, 1 / (1 + np.exp(-(20 * logits).bfloat16().double().numpy())), rtol=1e-5)
    else:
        np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def watched(task, labels, logits):
    """Return what an epoch is ranked by, reckoned by scikit-learn."""
    scores = probabilities(task, logits)
    if task is Task.MULTI_LABEL:
        first = roc_auc_score(labels, scores, average="macro")
    else:
        first = accuracy_score(labels[:, 0], scores.argmax(axis=1))
    return first, -loss(task, logits, targets(task, labels)).item()


@settings(deadline=None, max_examples=30)
@given(task=st.sampled_from(list(LABELLED_TASKS)), seed=st.integers(0, 2**32 - 1))
def test_the_best_epoch_is_that_of_a_search_through_all(task, seed):
    labels, _ = draw(task, count=12)
    epochs = [draw(task, count=12, seed=seed + number)[1] for number in range(8)]
    best = BestEpoch(task, labels)

    for number, logits in enumerate(epochs):
        best.look(10 * number + 9, logits, {"epoch": torch.tensor(number)})

    ranks = [watched(task, labels, logits) for logits in epochs]
    expected = max(range(8), key=lambda number: ranks[number])
    assert best.epoch == 10 * expected + 9
    assert best.state["epoch"].item() == expected


def test_among_equals_the_lower_loss_counts():
    labels = np.array([[0], [1]])
    unsure, sure, surer = (torch.tensor([[size, 0.0], [0.0, size]]) for size in (0.1, 1.0, 3.0))
    best = BestEpoch(Task.BINARY, labels)

    for epoch, logits in enumerate([sure, unsure, surer, sure]):
        found = best.look(epoch, logits, {})
        assert found["accuracy"] == 1

    assert best.epoch == 2


def test_among_wholly_equal_epochs_the_first_counts():
    labels, logits = draw(Task.MULTI_CLASS)
    best = BestEpoch(Task.MULTI_CLASS, labels)

    for epoch in range(3):
        best.look(epoch, logits, {})

    assert best.epoch == 0


def test_accuracy_counts_more_than_loss():
    labels = np.array([[0], [0]])
    better_loss = torch.tensor([[5.0, 0.0], [0.0, 0.1]])  # one of two right
    better_accuracy = torch.tensor([[0.01, 0.0], [0.01, 0.0]])
    best = BestEpoch(Task.BINARY, labels)

    assert best.look(0, better_loss, {})["loss"] < best.look(1, better_accuracy, {})["loss"]
    assert best.epoch == 1


def test_the_weights_kept_are_a_copy():
    labels, logits = draw(Task.MULTI_CLASS)
    weight = torch.ones(2, requires_grad=True)
    best = BestEpoch(Task.MULTI_CLASS, labels)

    best.look(0, logits, {"weight": weight})
    with torch.no_grad():
        weight.mul_(5)

    assert best.state["weight"].tolist() == [1, 1]
    assert not best.state["weight"].requires_grad


def test_an_epoch_whose_outputs_are_no_numbers_is_not_the_best():
    labels, logits = draw(Task.MULTI_CLASS)
    best = BestEpoch(Task.MULTI_CLASS, labels)
    right = torch.nn.functional.one_hot(torch.from_numpy(labels[:, 0]), 4).float() * 9

    best.look(0, right, {})
    best.look(1, logits * math.nan, {})

    assert best.epoch == 0
