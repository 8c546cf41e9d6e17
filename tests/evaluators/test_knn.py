"""Nearest neighbours against scikit-learn and a loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from medssl_bench.datasets import Task


def cosines(queries, bank):
    queries, bank = queries.double().numpy(), bank.double().numpy()
    return (queries / np.linalg.norm(queries, axis=1, keepdims=True)) @ (
        bank / np.linalg.norm(bank, axis=1, keepdims=True)
    ).T


@pytest.mark.parametrize("k", [1, 5, 20])
@pytest.mark.parametrize("noise", [0.2, 2.0])
def test_uniform_votes_are_scikit_learns(make_trial, make_evaluator, k, noise):
    places = np.random.default_rng(1).permutation(60)[:40]
    trial = make_trial(noise=noise, train=places)

    scores = make_evaluator("knn", k=k, weighting="uniform").evaluate(trial).scores

    reference = KNeighborsClassifier(k, metric="cosine", weights="uniform")
    reference.fit(trial.features["train"].numpy()[places], trial.splits["train"].labels[places, 0])
    np.testing.assert_allclose(scores, reference.predict_proba(trial.features["test"].numpy()), atol=1e-6)


@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_similar_neighbours_count_more(make_trial, make_evaluator, temperature):
    trial = make_trial(noise=1.0)

    scores = make_evaluator("knn", k=7, temperature=temperature).evaluate(trial).scores

    labels = trial.splits["train"].labels[:, 0]
    for row, similarity in zip(scores, cosines(trial.features["test"], trial.features["train"]), strict=True):
        votes = np.zeros(3)
        for place in np.argsort(-similarity)[:7]:
            votes[labels[place]] += math.exp(similarity[place] / temperature)
        assert row == pytest.approx(votes / votes.sum(), abs=1e-4)


def test_labels_of_a_multi_label_set_are_each_voted_for(make_trial, make_evaluator):
    trial = make_trial(Task.MULTI_LABEL, classes=4)

    scores = make_evaluator("knn", k=5, weighting="uniform").evaluate(trial).scores

    nearest = np.argsort(-cosines(trial.features["test"], trial.features["train"]), axis=1)[:, :5]
    np.testing.assert_allclose(scores, trial.splits["train"].labels[nearest].mean(axis=1), atol=1e-6)


def test_fewer_labelled_images_than_neighbours_all_vote(make_trial, make_evaluator):
    trial = make_trial(train=[0, 1, 2, 3])

    scores = make_evaluator("knn", k=20, weighting="uniform").evaluate(trial).scores

    np.testing.assert_allclose(scores, np.tile([0.5, 0.25, 0.25], (45, 1)), rtol=1e-6)


def test_near_neighbours_do_not_overflow(make_trial, make_evaluator):
    scores = make_evaluator("knn", temperature=1e-3).evaluate(make_trial(noise=1.0)).scores

    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_the_scale_of_the_features_does_not_matter(make_trial, make_evaluator):
    trial = make_trial(noise=1.0)
    larger = make_trial(noise=1.0)
    for split in larger.features:
        larger.features[split] *= 1000

    first, second = (make_evaluator("knn").evaluate(t).scores for t in (trial, larger))

    np.testing.assert_allclose(first, second, atol=1e-4)


def test_it_uses_no_seed(make_trial, make_evaluator):
    evaluator = make_evaluator("knn")

    assert not evaluator.uses_seed
    assert np.array_equal(evaluator.evaluate(make_trial(seed=0)).scores, evaluator.evaluate(make_trial(seed=1)).scores)
