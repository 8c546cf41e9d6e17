"""Influence values: their mean is the metric, and their variance its error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medssl_bench.datasets import Task
from medssl_bench.metrics import Predictions
from medssl_bench.metrics.builtin import RECORDED, accuracy, auroc, balanced_accuracy
from medssl_bench.metrics.classification import measure

_METRICS = {"accuracy": accuracy(), "auroc": auroc(), "balanced_accuracy": balanced_accuracy()}


def _drawn(task: Task, images: int, classes: int, number: int, decimals: int) -> Predictions:
    random = np.random.default_rng(number)
    if task is Task.MULTI_LABEL:
        labels = random.integers(0, 2, (images, classes))
    else:
        labels = (random.random((images, 1)) ** 2 * classes).astype(np.int64)  # unbalanced
    scores = random.random((images, classes)).round(decimals).astype(np.float32)
    return Predictions(task, labels, scores)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([Task.MULTI_CLASS, Task.BINARY, Task.MULTI_LABEL, Task.ORDINAL]),
    st.integers(2, 30),
    st.integers(2, 6),
    st.integers(0, 2**31),
    st.integers(1, 6),
)
def test_their_mean_is_the_metric(task: Task, images: int, classes: int, number: int, decimals: int) -> None:
    """Also with ties, with classes that no image is of, and with labels that all images have."""
    given_ = _drawn(task, images, 2 if task is Task.BINARY else classes, number, decimals)
    wanted = measure(given_.task, given_.labels, given_.scores)
    for name in RECORDED:
        influence = _METRICS[name].influence
        assert influence is not None
        found = influence(given_)
        if wanted[name] is None:
            assert found is None
        else:
            assert found is not None
            assert found.shape == (images,)
            assert found.mean() == pytest.approx(wanted[name], abs=1e-6)


def test_delongs_example() -> None:
    """Five negatives, five positives: an area of .84 with a variance of .0192 (DeLong et al. 1988)."""
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.8, 0.35, 0.6, 0.7, 0.9, 0.95], np.float32)
    labels = np.repeat([0, 1], 5)[:, None]
    influence = auroc().influence
    assert influence is not None
    found = influence(Predictions(Task.BINARY, labels, np.stack([1 - scores, scores], 1)))
    assert found is not None
    assert found.mean() == pytest.approx(0.84)
    placements = {kind: (found[labels[:, 0] == kind] - 0.84) / 2 for kind in (0, 1)}  # n / n_k = 2
    variance = sum(values.var(ddof=1) / 5 for values in placements.values())
    assert variance == pytest.approx(0.0192, abs=1e-6)


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("task", [Task.MULTI_CLASS, Task.BINARY, Task.MULTI_LABEL])
def test_their_variance_is_that_of_a_bootstrap(name: str, task: Task) -> None:
    given_ = _drawn(task, 300, 2 if task is Task.BINARY else 4, 3, 6)
    sharp = given_.scores.copy()
    if task is Task.MULTI_LABEL:
        sharp = (0.7 * sharp + 0.3 * given_.labels).astype(np.float32)
    else:
        sharp[np.arange(300), given_.labels[:, 0]] += 0.4
    influence = _METRICS[name].influence
    assert influence is not None
    found = influence(Predictions(task, given_.labels, sharp))
    assert found is not None
    random = np.random.default_rng(0)
    resampled = []
    for _ in range(600):
        drawn = random.integers(0, 300, 300)
        value = measure(task, given_.labels[drawn], sharp[drawn])[name]
        assert value is not None
        resampled.append(value)
    assert found.std() / np.sqrt(300) == pytest.approx(np.std(resampled), rel=0.1)


def test_an_area_is_exact() -> None:
    """A fraction of pairs: torchmetrics' sums in float32 were off by up to 1e-7."""
    random = np.random.default_rng(0)
    scores = random.random(501).round(3).astype(np.float32)
    labels = random.integers(0, 2, (501, 1))
    ahead = scores[labels[:, 0] == 1][:, None].astype(np.float64) - scores[labels[:, 0] == 0]
    pairs = ((ahead > 0) + 0.5 * (ahead == 0)).mean()
    found = measure(Task.BINARY, labels, np.stack([1 - scores, scores], 1))["auroc"]
    assert found == pytest.approx(pairs, abs=1e-14)
