"""The floor: the majority class of the labelled images."""

from __future__ import annotations

import numpy as np
import pytest

from medssl_bench.datasets import Task
from medssl_bench.metrics.classification import measure


def test_it_predicts_the_shares_of_the_labelled_images(make_trial, make_evaluator):
    trial = make_trial(train=[0, 3, 6, 1, 4, 2])  # classes 0, 0, 0, 1, 1, 2

    scores = make_evaluator("majority").evaluate(trial).scores

    assert scores.dtype == np.float32
    assert scores.shape == (45, 3)
    np.testing.assert_allclose(scores, np.tile([3 / 6, 2 / 6, 1 / 6], (45, 1)), rtol=1e-6)


@pytest.mark.parametrize("task", [Task.MULTI_CLASS, Task.ORDINAL, Task.BINARY])
def test_its_accuracy_is_the_majority_class_share_and_its_area_a_half(make_trial, make_evaluator, task):
    trial = make_trial(task, classes=2 if task is Task.BINARY else 3, train=[1, 4, 7, 0])

    found = make_evaluator("majority").evaluate(trial)

    truth = trial.splits["test"].labels
    majority = trial.splits["train"].labels[[1, 4, 7, 0], 0]
    most = np.bincount(majority).argmax()
    measured = measure(task, truth, found.scores)
    assert measured["accuracy"] == pytest.approx((truth == most).mean())
    assert measured["auroc"] == 0.5
    assert found.selected_epoch is None
    assert found.last_scores is None


def test_a_class_without_labelled_images_has_no_share(make_trial, make_evaluator):
    scores = make_evaluator("majority").evaluate(make_trial(train=[0, 1, 3])).scores

    assert scores[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0])


def test_of_a_multi_label_set_it_predicts_how_often_each_label_was(make_trial, make_evaluator):
    trial = make_trial(Task.MULTI_LABEL, classes=5, train=range(20))

    scores = make_evaluator("majority").evaluate(trial).scores

    np.testing.assert_allclose(scores[7], trial.splits["train"].labels[:20].mean(axis=0), rtol=1e-6)


def test_it_needs_neither_features_nor_seed(make_evaluator):
    evaluator = make_evaluator("majority")

    assert (evaluator.needs, evaluator.uses_seed, evaluator.trains_encoder) == ("labels", False, False)
