"""Metrics against medmnist's own evaluator and scikit-learn, for all four tasks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from medmnist_metrics import get_acc, get_auc
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, roc_auc_score

from medssl_bench.datasets import Task
from medssl_bench.datasets.base import LABELLED_TASKS
from medssl_bench.metrics.classification import cross_entropy, measure

MEDMNIST_TASK = {
    Task.MULTI_CLASS: "multi-class",
    Task.ORDINAL: "ordinal-regression",
    Task.BINARY: "binary-class",
    Task.MULTI_LABEL: "multi-label, binary-class",
}
CLASS_TASKS = [Task.MULTI_CLASS, Task.ORDINAL, Task.BINARY]


def predictions(task, seed, *, count=60, classes=4, ties=False):
    """Return labels of which every class has some, and probabilities that know a little of them."""
    rng = np.random.default_rng(seed)
    classes = 2 if task is Task.BINARY else classes
    if task is Task.MULTI_LABEL:
        labels = rng.integers(0, 2, (count, classes))
        labels[0], labels[1] = 0, 1
        scores = 1 / (1 + np.exp(-(labels - 0.5 + rng.normal(size=labels.shape))))
    else:
        labels = np.concatenate([np.arange(classes), rng.integers(0, classes, count - classes)])[:, None]
        logits = np.eye(classes)[labels[:, 0]] + rng.normal(size=(count, classes))
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    if ties:
        scores = np.round(scores * 4) / 4
    return labels, scores.astype(np.float32)


@settings(deadline=None, max_examples=40)
@given(
    task=st.sampled_from(list(LABELLED_TASKS)),
    seed=st.integers(0, 2**32 - 1),
    ties=st.booleans(),
    classes=st.integers(3, 9),
)
def test_accuracy_and_auroc_are_medmnists(task, seed, ties, classes):
    labels, scores = predictions(task, seed, ties=ties and task is not Task.BINARY, classes=classes)

    found = measure(task, labels, scores)

    assert found["accuracy"] == pytest.approx(get_acc(labels, scores, MEDMNIST_TASK[task]), abs=1e-9)
    assert found["auroc"] == pytest.approx(get_auc(labels, scores, MEDMNIST_TASK[task]), abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(task=st.sampled_from(list(LABELLED_TASKS)), seed=st.integers(0, 2**32 - 1))
def test_the_loss_is_scikit_learns(task, seed):
    labels, scores = predictions(task, seed)
    if task is Task.MULTI_LABEL:
        expected = np.mean(
            [log_loss(truth, each, labels=[0, 1]) for truth, each in zip(labels.T, scores.T, strict=True)]
        )
    else:
        exact = scores.astype(np.float64)
        expected = log_loss(labels[:, 0], exact / exact.sum(axis=1, keepdims=True))

    assert cross_entropy(task, labels, scores) == pytest.approx(expected, rel=1e-5)


def test_a_loss_is_finite_where_what_is_true_has_no_probability():
    found = cross_entropy(Task.BINARY, np.array([[0]]), np.array([[0.0, 1.0]], dtype=np.float32))

    assert found == pytest.approx(-np.log(1e-12))


@settings(deadline=None, max_examples=30)
@given(task=st.sampled_from(CLASS_TASKS), seed=st.integers(0, 2**32 - 1))
def test_metrics_of_classes_are_scikit_learns(task, seed):
    labels, scores = predictions(task, seed)
    classes, predicted = labels[:, 0], scores.argmax(axis=1)

    found = measure(task, labels, scores)

    assert found["accuracy"] == pytest.approx(accuracy_score(classes, predicted))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(classes, predicted))
    if task is Task.BINARY:
        expected = roc_auc_score(classes, scores[:, 1])
    else:
        exact = scores.astype(np.float64)
        expected = roc_auc_score(classes, exact / exact.sum(axis=1, keepdims=True), multi_class="ovr", average="macro")
    assert found["auroc"] == pytest.approx(expected, abs=1e-6)


def test_the_area_of_a_binary_task_is_that_of_class_1():
    labels, scores = predictions(Task.BINARY, 3)
    scores[:, 0] = 0.25  # as of an evaluator whose scores do not sum to 1

    assert measure(Task.BINARY, labels, scores)["auroc"] == pytest.approx(roc_auc_score(labels[:, 0], scores[:, 1]))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), ties=st.booleans())
def test_metrics_of_labels_are_scikit_learns(seed, ties):
    labels, scores = predictions(Task.MULTI_LABEL, seed, ties=ties)

    found = measure(Task.MULTI_LABEL, labels, scores)

    decided = scores > 0.5
    assert found["accuracy"] == pytest.approx(accuracy_score(labels.ravel(), decided.ravel()))
    assert found["auroc"] == pytest.approx(roc_auc_score(labels, scores, average="macro"), abs=1e-6)
    by_label = [balanced_accuracy_score(labels[:, n], decided[:, n]) for n in range(labels.shape[1])]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(by_label))


@settings(deadline=None, max_examples=30)
@given(
    scores=st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), min_size=4, max_size=30),
    seed=st.integers(0, 2**32 - 1),
)
def test_auroc_is_the_share_of_ordered_pairs_and_half_of_the_ties(scores, seed):
    truth = np.random.default_rng(seed).integers(0, 2, len(scores))
    assume(0 < truth.sum() < len(truth))
    positive = np.array(scores, np.float32)

    found = measure(Task.BINARY, truth[:, None], np.stack([1 - positive, positive], axis=1))

    pairs = [(p, n) for p in positive[truth == 1] for n in positive[truth == 0]]
    expected = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)
    assert found["auroc"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
def test_a_perfect_and_a_hopeless_prediction(task):
    labels, _ = predictions(task, 0)
    right = (
        labels.astype(np.float32)
        if task is Task.MULTI_LABEL
        else np.eye(labels.max() + 1, dtype=np.float32)[labels[:, 0]]
    )
    constant = np.full_like(right, right.mean())

    assert measure(task, labels, right) == {"accuracy": 1.0, "auroc": 1.0, "balanced_accuracy": 1.0}
    assert measure(task, labels, constant)["auroc"] == 0.5


def test_a_class_without_images_is_left_out_of_the_means():
    """Class 2 of four is in no test image, as happens in small sets; scikit-learn sees three classes."""
    labels, scores = predictions(Task.MULTI_CLASS, 5)
    kept = labels[:, 0] != 2
    labels, scores = labels[kept], scores[kept]

    found = measure(Task.MULTI_CLASS, labels, scores)

    areas = [roc_auc_score(labels[:, 0] == number, scores[:, number]) for number in (0, 1, 3)]
    assert found["auroc"] == pytest.approx(np.mean(areas), abs=1e-6)
    predicted = scores.argmax(axis=1)
    recalls = [(predicted[labels[:, 0] == number] == number).mean() for number in (0, 1, 3)]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    assert found["accuracy"] == pytest.approx((predicted == labels[:, 0]).mean())


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 8), kinds=st.data())
def test_a_label_with_one_kind_of_images_is_left_out_of_the_means(seed, classes, kinds):
    """Else a label that nobody has, and everybody is told not to have, would count as one that is told perfectly."""
    labels, scores = predictions(Task.MULTI_LABEL, seed, classes=classes)
    lone = kinds.draw(st.lists(st.sampled_from([None, 0, 1]), min_size=classes, max_size=classes))
    for number, kind in enumerate(lone):
        if kind is not None:
            labels[:, number] = kind

    found = measure(Task.MULTI_LABEL, labels, scores)

    both = [number for number, kind in enumerate(lone) if kind is None]
    if not both:
        assert (found["auroc"], found["balanced_accuracy"]) == (None, None)
        return
    areas = [roc_auc_score(labels[:, n], scores[:, n]) for n in both]
    assert found["auroc"] == pytest.approx(np.mean(areas), abs=1e-6)
    balanced = [balanced_accuracy_score(labels[:, n], scores[:, n] > 0.5) for n in both]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(balanced))


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
def test_one_kind_of_images_has_no_area(task):
    labels, scores = predictions(task, 7)
    labels[:] = 1

    found = measure(task, labels, scores)

    assert found["auroc"] is None
    assert 0 <= found["accuracy"] <= 1
    if task is Task.MULTI_LABEL:
        assert found["balanced_accuracy"] is None
    else:  # the recall of the one class that there is, as scikit-learn has it
        assert found["balanced_accuracy"] == pytest.approx((scores.argmax(axis=1) == 1).mean())


def test_many_images_in_single_precision_do_not_lose_digits():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 50_000)
    positive = (1 / (1 + np.exp(-(truth + rng.normal(size=50_000))))).astype(np.float32)

    found = measure(Task.BINARY, truth[:, None], np.stack([1 - positive, positive], axis=1))

    assert found["auroc"] == pytest.approx(roc_auc_score(truth, positive), abs=2e-7)
