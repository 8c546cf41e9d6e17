"""Metrics that torchmetrics computes, against scikit-learn."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, matthews_corrcoef

from medssl_bench.datasets import Task
from medssl_bench.metrics import Predictions
from medssl_bench.metrics.compute import compute
from medssl_bench.metrics.more import average_precision, f1, mcc


def _drawn(task: Task, images: int, number: int) -> Predictions:
    random = np.random.default_rng(number)
    classes = 2 if task is Task.BINARY else 5
    several = task is Task.MULTI_LABEL
    labels = random.integers(0, 2 if several else classes, (images, classes if several else 1))
    return Predictions(task, labels, random.random((images, classes)).round(2).astype(np.float32))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([Task.MULTI_CLASS, Task.BINARY, Task.ORDINAL]), st.integers(2, 40), st.integers(0, 2**31))
def test_f1_and_mcc_are_scikit_learns(task: Task, images: int, number: int) -> None:
    drawn = _drawn(task, images, number)
    truth, decided = drawn.labels[:, 0], drawn.scores.argmax(1)
    present = np.unique(truth)
    found = compute("f1", f1(), drawn)
    wanted = f1_score(truth, decided, labels=present, average=None, zero_division=0.0)
    assert [value for value in found.classes if value is not None] == pytest.approx(wanted, abs=1e-6)
    assert found.value == pytest.approx(wanted.mean(), abs=1e-6)
    of_mcc = compute("mcc", mcc(), drawn).value
    if len(present) == 1:
        assert of_mcc is None
    else:
        assert of_mcc == pytest.approx(matthews_corrcoef(truth, decided), abs=1e-6)


def test_mcc_is_chance_where_all_images_are_decided_to_be_of_one_class() -> None:
    scores = np.tile(np.array([[0.3, 0.7]], np.float32), (5, 1))
    one_is_wrong = Predictions(Task.BINARY, np.array([[0], [1], [1], [1], [1]]), scores)
    all_but_one_are_wrong = Predictions(Task.BINARY, np.array([[1], [0], [0], [0], [0]]), scores)
    assert compute("mcc", mcc(), one_is_wrong).value == 0.0
    assert compute("mcc", mcc(), all_but_one_are_wrong).value == 0.0


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([Task.MULTI_CLASS, Task.BINARY, Task.MULTI_LABEL]), st.integers(2, 40), st.integers(0, 2**31))
def test_average_precision_is_scikit_learns(task: Task, images: int, number: int) -> None:
    drawn = _drawn(task, images, number)
    is_positive = drawn.labels > 0
    if task is not Task.MULTI_LABEL:
        is_positive = drawn.labels == np.arange(drawn.scores.shape[1])
    columns = [1] if task is Task.BINARY else range(drawn.scores.shape[1])
    wanted = [
        average_precision_score(is_positive[:, column], drawn.scores[:, column])
        for column in columns
        if is_positive[:, column].any()
    ]
    found = compute("average_precision", average_precision(), drawn)
    assert [value for value in found.classes if value is not None] == pytest.approx(wanted, abs=1e-6)


def test_an_evaluation_does_not_import_torchmetrics() -> None:
    """It takes seconds, and longer where transformers is installed."""
    code = "import sys, medssl_bench.stages.evaluate, medssl_bench.metrics.classification as c, numpy as n\n"
    code += "from medssl_bench.datasets import Task\n"
    code += "c.measure(Task.BINARY, n.array([[0], [1]]), n.eye(2, dtype='float32'))\n"
    code += "print('torchmetrics' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "False"
