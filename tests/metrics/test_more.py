"""Metrics that no record has, against scikit-learn and torchmetrics, and worked examples."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    cohen_kappa_score,
    f1_score,
    log_loss,
    matthews_corrcoef,
    mean_absolute_error,
)
from torchmetrics.functional.classification import binary_sensitivity_at_specificity, multiclass_calibration_error

from medssl_bench.datasets import Task
from medssl_bench.metrics import Metric, Predictions
from medssl_bench.metrics.builtin import loss
from medssl_bench.metrics.calibration import of_calibrated, reliability, temperature_of, tempered
from medssl_bench.metrics.classification import cross_entropy
from medssl_bench.metrics.compute import NO_VALIDATION, compute
from medssl_bench.metrics.more import (
    average_precision,
    brier,
    ece,
    ece_after_temperature,
    f1,
    loss_after_temperature,
    mae,
    mcc,
    qwk,
    sensitivity,
    sensitivity_on_curve,
    specificity,
)

ONE_CLASS = [Task.MULTI_CLASS, Task.BINARY, Task.ORDINAL]
EVERY = [*ONE_CLASS, Task.MULTI_LABEL]

EXAMPLE = Predictions(
    Task.ORDINAL,
    np.array([0, 0, 1, 1, 2, 2, 2, 0])[:, None],
    np.array(
        [
            (0.70, 0.19, 0.11), (0.42, 0.47, 0.11), (0.19, 0.64, 0.17), (0.28, 0.31, 0.41),
            (0.11, 0.17, 0.72), (0.18, 0.51, 0.31), (0.04, 0.03, 0.93), (0.55, 0.33, 0.12),
        ],
        np.float32,
    ),
)  # fmt: skip

NEGATIVE, POSITIVE = (0.1, 0.2, 0.3, 0.4, 0.8), (0.35, 0.6, 0.7, 0.9, 0.95)


def _drawn(task: Task, images: int, number: int, decimals: int = 2) -> Predictions:
    random = np.random.default_rng(number)
    classes = 2 if task is Task.BINARY else 5
    several = task is Task.MULTI_LABEL
    made = []
    for _ in range(2):
        labels = random.integers(0, 2 if several else classes, (images, classes if several else 1))
        scores = random.random((images, classes))
        scores = scores if several else scores / scores.sum(1, keepdims=True)
        made += [labels, scores.round(decimals).astype(np.float32)]
    return Predictions(task, *made)


def _value(metric: Metric, drawn: Predictions) -> float | None:
    return compute("m", metric, drawn).value


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (f1(), 0.622222), (mcc(), 0.452381), (average_precision(), 0.872222), (loss(), 0.626468), (brier(), 0.355750),
        (qwk(), 0.727273), (mae(), 0.375), (ece(bins=5), 0.243750), (ece(bins=10), 0.243750), (ece(), 0.356250),
    ],
)  # fmt: skip
def test_a_worked_example(metric: Metric, value: float) -> None:
    assert _value(metric, EXAMPLE) == pytest.approx(value, abs=1e-6)


def test_a_worked_example_of_calibration() -> None:
    bins = reliability(EXAMPLE.labels, EXAMPLE.scores)
    assert np.abs(bins.accuracy - bins.confidence).max() == pytest.approx(0.49, abs=1e-6)
    found = temperature_of(EXAMPLE.task, EXAMPLE.labels, EXAMPLE.scores)
    assert found == pytest.approx(0.445957, abs=2e-6)
    after = tempered(EXAMPLE.task, EXAMPLE.scores, found)
    assert log_loss(EXAMPLE.labels[:, 0], after) == pytest.approx(0.518839, abs=1e-6)


@pytest.mark.parametrize(("at", "value"), [(0.8, 0.8), (0.9, 0.4)])
def test_a_worked_example_of_a_threshold(at: float, value: float) -> None:
    scores = np.array(NEGATIVE + POSITIVE, np.float32)
    labels = np.repeat([0, 1], 5)[:, None]
    test = Predictions(Task.BINARY, labels, np.stack([1 - scores, scores], 1))
    assert _value(sensitivity_on_curve(specificity=at), test) == pytest.approx(value)
    of_four = [np.tile(each, (4, 1)) for each in (test.labels, test.scores)]  # 20 negatives
    chosen = Predictions(Task.BINARY, test.labels, test.scores, *of_four)
    assert _value(sensitivity(specificity=at), chosen) == pytest.approx(value)
    assert _value(specificity(specificity=at), chosen) == pytest.approx({0.8: 0.8, 0.9: 1.0}[at])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ONE_CLASS), st.integers(2, 40), st.integers(0, 2**31))
def test_f1_and_mcc_are_scikit_learns(task: Task, images: int, number: int) -> None:
    drawn = _drawn(task, images, number)
    truth, decided = drawn.labels[:, 0], drawn.scores.argmax(1)
    present = np.unique(truth)
    found = compute("f1", f1(), drawn)
    wanted = f1_score(truth, decided, labels=present, average=None, zero_division=0.0)
    assert [value for value in found.classes if value is not None] == pytest.approx(wanted, abs=1e-12)
    assert found.value == pytest.approx(wanted.mean(), abs=1e-12)
    of_mcc = _value(mcc(), drawn)
    if len(present) == 1:
        assert of_mcc is None
    else:
        assert of_mcc == pytest.approx(matthews_corrcoef(truth, decided), abs=1e-12)


def test_mcc_is_chance_where_all_images_are_decided_to_be_of_one_class() -> None:
    scores = np.tile(np.array([[0.3, 0.7]], np.float32), (5, 1))
    one_is_wrong = Predictions(Task.BINARY, np.array([[0], [1], [1], [1], [1]]), scores)
    all_but_one_are_wrong = Predictions(Task.BINARY, np.array([[1], [0], [0], [0], [0]]), scores)
    assert _value(mcc(), one_is_wrong) == 0.0
    assert _value(mcc(), all_but_one_are_wrong) == 0.0


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 40), st.integers(0, 2**31))
def test_kappa_and_distance_are_scikit_learns(images: int, number: int) -> None:
    drawn = _drawn(Task.ORDINAL, images, number)
    truth, decided = drawn.labels[:, 0], drawn.scores.argmax(1)
    assert _value(mae(), drawn) == mean_absolute_error(truth, decided)
    found = _value(qwk(), drawn)
    if len({*truth, *decided}) == 1:
        assert found is None
    else:
        assert found == pytest.approx(
            cohen_kappa_score(truth, decided, labels=range(5), weights="quadratic"), abs=1e-12
        )


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
    assert [value for value in found.classes if value is not None] == pytest.approx(wanted, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(EVERY), st.integers(2, 40), st.integers(0, 2**31))
def test_losses_are_scikit_learns(task: Task, images: int, number: int) -> None:
    drawn = _drawn(task, images, number, decimals=7)
    if task is Task.MULTI_LABEL:
        exact = drawn.scores.astype(np.float64)
        wanted = [brier_score_loss(y, p, pos_label=1) for y, p in zip(drawn.labels.T, exact.T, strict=True)]
        assert _value(brier(), drawn) == pytest.approx(np.mean(wanted), abs=1e-9)
        return
    exact = drawn.scores.astype(np.float64)
    truth, classes = drawn.labels[:, 0], np.arange(exact.shape[1])
    assert _value(brier(), drawn) == pytest.approx(((exact - (truth[:, None] == classes)) ** 2).sum(1).mean())
    if task is Task.BINARY:  # scikit-learn's is of one class: half of the sum over two
        halved = brier_score_loss(truth, exact[:, 1], pos_label=1)
        assert _value(brier(), drawn) == pytest.approx(2 * halved, abs=1e-6)
    shares = exact / exact.sum(1, keepdims=True)
    assert _value(loss(), drawn) == pytest.approx(log_loss(truth, shares, labels=classes), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([Task.MULTI_CLASS, Task.BINARY]), st.integers(1, 60), st.integers(0, 2**31), st.integers(2, 20))
def test_calibration_error_is_torchmetrics(task: Task, images: int, number: int, bins: int) -> None:
    """Probabilities of seven decimals lie on no edge of a bin, where libraries differ."""
    drawn = _drawn(task, images, number, decimals=7)
    scores, truth = torch.from_numpy(drawn.scores).double(), torch.from_numpy(drawn.labels[:, 0])
    wanted = multiclass_calibration_error(scores, truth, scores.shape[1], n_bins=bins, norm="l1")
    assert _value(ece(bins=bins), drawn) == pytest.approx(float(wanted), abs=1e-6)


def test_an_edge_belongs_to_the_bin_below() -> None:
    """(lo, hi], as in the papers."""
    scores = np.array([[0.5, 0.5], [0.25, 0.75]], np.float32)
    assert reliability(np.zeros((2, 1), np.int64), scores, 4).images.tolist() == [0, 1, 1, 0]
    assert reliability(np.zeros((1, 1), np.int64), np.array([[1.0, 0.0]], np.float32), 4).images.tolist() == [
        0,
        0,
        0,
        1,
    ]


def test_the_error_of_calibrated_probabilities_is_not_nothing() -> None:
    """150 images have an error of some points by chance; truly calibrated ones are below the quantile in 95 %."""
    random = np.random.default_rng(0)
    scores = random.dirichlet(np.ones(4), 150).astype(np.float32)
    mean, most = of_calibrated(scores)
    assert 0.02 < mean < most < 0.2
    errors = []
    for _ in range(300):
        labels = (random.random((150, 1)) > scores.astype(np.float64).cumsum(1)).sum(1).clip(0, 3)
        errors.append(reliability(labels[:, None], scores).error)
    assert np.mean(errors) == pytest.approx(mean, rel=0.1)
    assert 0.9 < np.mean(np.array(errors) <= most) < 0.99


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(EVERY), st.integers(0, 2**31), st.floats(0.2, 5))
def test_a_temperature_is_found_again(task: Task, number: int, true: float) -> None:
    """Labels drawn from probabilities whose logits were then multiplied by T: dividing by it is right."""
    random = np.random.default_rng(number)
    logits = random.normal(size=(4000, 3 if task is not Task.BINARY else 2))
    if task is Task.MULTI_LABEL:
        labels = (random.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.int64)
        scores = 1 / (1 + np.exp(-logits * true))
    else:
        shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        labels = (random.random((4000, 1)) > shares.cumsum(1)[:, :-1]).sum(1)[:, None]
        scores = np.exp(logits * true) / np.exp(logits * true).sum(1, keepdims=True)
    found = temperature_of(task, labels, scores.astype(np.float32))
    assert found == pytest.approx(true, rel=0.15)
    after = tempered(task, scores.astype(np.float32), found)
    assert (after.argmax(1) == scores.argmax(1)).mean() > 0.999, "what is decided stays"


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(EVERY), st.integers(2, 60), st.integers(0, 2**31))
def test_a_temperature_is_scipys(task: Task, images: int, number: int) -> None:
    drawn = _drawn(task, images, number, decimals=7)

    def loss_at(logarithm: float) -> float:
        return cross_entropy(task, drawn.labels, tempered(task, drawn.scores, np.exp(logarithm)))

    wanted = minimize_scalar(loss_at, bounds=(np.log(0.05), np.log(20)), method="bounded", options={"xatol": 1e-8})
    assert np.log(temperature_of(task, drawn.labels, drawn.scores)) == pytest.approx(wanted.x, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 60), st.integers(0, 2**31), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_sensitivity_on_the_curve_is_torchmetrics(images: int, number: int, at: float) -> None:
    drawn = _drawn(Task.BINARY, images, number)
    found = _value(sensitivity_on_curve(specificity=at), drawn)
    if len(np.unique(drawn.labels)) == 1:
        assert found is None
        return
    scores, truth = torch.from_numpy(drawn.scores[:, 1]).double(), torch.from_numpy(drawn.labels[:, 0])
    wanted, _ = binary_sensitivity_at_specificity(scores, truth, min_specificity=at - 1e-6)
    assert found == pytest.approx(float(wanted), abs=1e-6)


def test_too_few_validation_images_are_told() -> None:
    drawn = _drawn(Task.BINARY, 30, 1)
    found = compute("m", loss_after_temperature(), drawn)
    assert (found.value, found.why) == (
        None,
        "a temperature needs 50 labelled validation images or more, there are 30",
    )
    assert compute("m", ece_after_temperature(), drawn).why == found.why
    found = compute("m", sensitivity(), drawn)
    assert found.value is None
    assert found.why.startswith("a threshold needs 20 validation images without the class or more, there are 1")
    without = Predictions(drawn.task, drawn.labels, drawn.scores)
    for metric in (loss_after_temperature(), ece_after_temperature(), sensitivity(), specificity()):
        assert compute("m", metric, without).why == NO_VALIDATION


@pytest.mark.parametrize("metric", [loss_after_temperature(), ece_after_temperature()])
def test_a_temperature_comes_from_validation_images_alone(metric: Metric) -> None:
    drawn = _drawn(Task.MULTI_CLASS, 80, 4, decimals=7)
    fitted = temperature_of(drawn.task, drawn.val_labels, drawn.val_scores)
    after = tempered(drawn.task, drawn.scores, fitted)
    wanted = _value(loss() if metric.high > 1 else ece(), Predictions(drawn.task, drawn.labels, after))
    assert _value(metric, drawn) == pytest.approx(wanted, abs=1e-6)


INFLUENTIAL = {
    "f1": f1(), "mcc": mcc(), "qwk": qwk(), "mae": mae(), "average_precision": average_precision(), "brier": brier(),
    "loss_after_temperature": loss_after_temperature(), "sensitivity": sensitivity(specificity=0.7),
    "specificity": specificity(specificity=0.7),
}  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(INFLUENTIAL)),
    st.sampled_from(EVERY),
    st.one_of(st.integers(2, 12), st.integers(50, 80)),
    st.integers(0, 2**31),
    st.integers(1, 6),
)
def test_the_mean_of_influence_values_is_the_metric(
    name: str, task: Task, images: int, number: int, decimals: int
) -> None:
    """Also with ties, with classes of one image, and with classes that no image is of."""
    metric = INFLUENTIAL[name]
    if task not in metric.tasks:
        return
    drawn = _drawn(task, images, number, decimals)
    wanted = compute(name, metric, drawn)
    if wanted.why:
        return
    assert metric.influence is not None
    found = metric.influence(drawn)
    if wanted.value is None:
        assert found is None
    elif found is None:  # without some image it is not defined
        assert name in {"f1", "mcc", "qwk"}
    else:
        assert found.shape == (images,)
        assert found.mean() == pytest.approx(wanted.value, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "task"), [(name, task) for name, metric in INFLUENTIAL.items() for task in metric.tasks]
)
def test_their_variance_is_that_of_a_bootstrap(name: str, task: Task) -> None:
    metric = INFLUENTIAL[name]
    drawn = _drawn(task, 400, 3, decimals=7)
    sharp = drawn.scores.copy()
    if task is Task.MULTI_LABEL:
        sharp = (0.7 * sharp + 0.3 * drawn.labels).astype(np.float32)
    else:
        sharp[np.arange(400), drawn.labels[:, 0]] += 0.2
        sharp /= sharp.sum(1, keepdims=True)
    drawn = Predictions(task, drawn.labels, sharp, drawn.val_labels, drawn.val_scores)
    assert metric.influence is not None
    found = metric.influence(drawn)
    assert found is not None
    random = np.random.default_rng(0)
    resampled = []
    for _ in range(700):
        at = random.integers(0, 400, 400)
        part = Predictions(task, drawn.labels[at], sharp[at], drawn.val_labels, drawn.val_scores)
        resampled.append(_value(metric, part))
    assert found.std() / 20 == pytest.approx(np.std(resampled), rel=0.1)


@pytest.mark.parametrize("name", ["f1", "mcc", "qwk"])
def test_the_jackknife_is_that_of_leaving_out_one_image_at_a_time(name: str) -> None:
    metric = INFLUENTIAL[name]
    drawn = _drawn(Task.ORDINAL, 25, 8)
    assert metric.influence is not None
    found = metric.influence(drawn)
    assert found is not None
    without = []
    for image in range(25):
        part = Predictions(drawn.task, np.delete(drawn.labels, image, 0), np.delete(drawn.scores, image, 0))
        without.append(_value(metric, part))
    assert found - found.mean() == pytest.approx(24 * (np.mean(without) - np.array(without)), abs=1e-9)


def test_what_is_chosen_on_test_or_biased_has_no_influence_values() -> None:
    for metric in (ece(), ece_after_temperature(), sensitivity_on_curve()):
        assert metric.influence is None
        assert metric.resampled


def test_an_evaluation_does_not_import_torchmetrics() -> None:
    """It takes seconds, and longer where transformers is installed."""
    code = "import sys, medssl_bench.stages.evaluate, medssl_bench.metrics.classification as c, numpy as n\n"
    code += "from medssl_bench.datasets import Task\n"
    code += "c.measure(Task.BINARY, n.array([[0], [1]]), n.eye(2, dtype='float32'))\n"
    code += "print('torchmetrics' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "False"
