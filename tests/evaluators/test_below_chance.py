"""An AUROC far below a half is told where chance does not explain it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, rankdata

from medssl_bench.datasets import DatasetInfo, Task
from medssl_bench.datasets.base import LABELLED_TASKS
from medssl_bench.evaluators.below_chance import below_chance, null_covariance
from medssl_bench.metrics.classification import measure, one_vs_rest_areas


def info_of(task, classes):
    return DatasetInfo("set", task, tuple(f"kind {n}" for n in range(classes)), 3, 8, {"train": 1, "val": 1, "test": 1})


def drawn(task, seed, *, count=200, classes=4, pull=0.0):
    """Return labels, and scores that say the right class with some pull, below 0 the wrong one."""
    rng = np.random.default_rng(seed)
    if task is Task.MULTI_LABEL:
        labels = rng.integers(0, 2, (count, classes))
        return labels, (pull * labels + rng.normal(size=labels.shape)).astype(np.float32)
    labels = rng.integers(0, classes, (count, 1))
    logits = pull * (labels == np.arange(classes)) + rng.normal(size=(count, classes))
    scores = np.exp(logits)
    return labels, (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
def test_scores_that_are_turned_round_are_told(task):
    classes = 2 if task is Task.BINARY else 4
    labels, scores = drawn(task, 0, classes=classes, pull=-1.5)

    said = below_chance(info_of(task, classes), labels, scores)

    assert f"({measure(task, labels, scores)['auroc']:.3f}, " in said
    assert "'kind " in said
    assert said.isprintable()


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
@pytest.mark.parametrize("pull", [0.0, 0.5, 3.0])
def test_chance_and_better_are_not(task, pull):
    classes = 2 if task is Task.BINARY else 4
    for seed in range(40):
        assert not below_chance(info_of(task, classes), *drawn(task, seed, classes=classes, pull=pull))


def test_a_few_images_prove_nothing():
    labels = np.array([[0], [1], [1], [0], [1]])
    wrong = np.where(labels == np.arange(2), 0.1, 0.9).astype(np.float32)

    assert measure(Task.BINARY, labels, wrong)["auroc"] == 0
    assert not below_chance(info_of(Task.BINARY, 2), labels, wrong)


def test_only_the_class_that_is_turned_round_is_named():
    labels, scores = drawn(Task.MULTI_LABEL, 3, count=600, pull=0.2)
    scores[:, 2] = -scores[:, 2] - 2 * labels[:, 2]

    said = below_chance(info_of(Task.MULTI_LABEL, 4), labels, scores)

    assert "'kind 2'" in said
    assert all(f"'kind {n}'" not in said for n in (0, 1, 3))


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
def test_what_has_no_area_is_left_out(task):
    classes = 2 if task is Task.BINARY else 3
    labels, scores = drawn(task, 5, classes=classes)
    labels[:] = 1
    assert not below_chance(info_of(task, classes), labels, scores)
    constant = np.full_like(scores, 0.5)
    assert not below_chance(info_of(task, classes), drawn(task, 6, classes=classes)[0], constant)


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.9]), min_size=4, max_size=40),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_error_of_one_area_is_that_of_the_rank_sum_test(values, seed):
    truth = np.random.default_rng(seed).permutation(np.arange(len(values)) % 2).astype(bool)
    scores = np.array(values, dtype=np.float32)
    found = float(null_covariance(truth[:, None], scores[:, None])[0, 0])
    if len(set(values)) == 1:
        assert found == 0
        return
    area = one_vs_rest_areas(truth[:, None], scores[:, None])[0]
    distance = (area - 0.5) / math.sqrt(found)
    theirs = mannwhitneyu(scores[truth], scores[~truth], method="asymptotic", use_continuity=False)
    # an area is a float32: an error of 1e-7 in it moves the logarithm of p by that times the square of the distance
    assert math.erfc(abs(distance) / math.sqrt(2)) == pytest.approx(theirs.pvalue, rel=2e-5)


@pytest.mark.parametrize("task", [Task.MULTI_CLASS, Task.MULTI_LABEL])
def test_the_covariances_are_those_of_labels_handed_out_anew(task):
    labels, scores = drawn(task, 1, count=60, pull=1.0)
    positive = labels > 0 if task is Task.MULTI_LABEL else labels == np.arange(4)
    rng = np.random.default_rng(0)
    ranks = rankdata(scores, axis=0)
    areas = []
    for _ in range(20_000):
        handed = positive[rng.permutation(len(labels))]
        m = handed.sum(axis=0)
        areas.append(((ranks * handed).sum(axis=0) - m * (m + 1) / 2) / (m * (len(labels) - m)))

    np.testing.assert_allclose(null_covariance(positive, scores), np.cov(np.array(areas).T), atol=5e-4)
