"""The logistic probe against scikit-learn: the optimum of each C, and which C is chosen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medssl_bench.datasets import Task
from medssl_bench.datasets.base import LABELLED_TASKS
from medssl_bench.datasets.grouped_splits import drawn_splits
from medssl_bench.errors import StageError
from medssl_bench.evaluators import logistic_path
from medssl_bench.metrics.criterion import Criterion, find_criterion
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.plugin.parameters import ParameterProblem

SOME = np.random.default_rng(3).permutation(60)[:37]


def scikits(features, labels, c, **options):
    model = LogisticRegression(C=c, tol=1e-10, max_iter=100_000, **options)
    return make_pipeline(StandardScaler(), model).fit(features, labels)


def probabilities_of_scikit(trial, c, task, split="test", **options):
    features, labels = trial.features["train"].double().numpy()[trial.train], trial.splits["train"].labels[trial.train]
    asked = trial.features[split].double().numpy()
    if task is Task.MULTI_LABEL:
        each = [scikits(features, column, c, **options).predict_proba(asked)[:, 1] for column in labels.T]
        return np.stack(each, axis=1)
    return scikits(features, labels[:, 0], c, **options).predict_proba(asked)


def only(c, **more):
    return {"smallest": c, "largest": c, "values": 1, **more}


def classes_of(task):
    return 2 if task is Task.BINARY else 3


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
@pytest.mark.parametrize("c", [1e-4, 0.03, 1.0, 30.0])
@pytest.mark.parametrize("labelled", [SOME, SOME[:7]])
def test_every_optimum_is_scikit_learns(make_trial, make_evaluator, task, c, labelled):
    trial = make_trial(task, classes=classes_of(task), noise=1.5, train=labelled)
    found = make_evaluator("logistic", **only(c)).evaluate(trial)
    np.testing.assert_allclose(found.scores, probabilities_of_scikit(trial, c, task), atol=1e-5)
    assert found.metrics == {"C": pytest.approx(c)}
    assert found.flags == {}


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("balance", ["none", "class_weights"])
def test_few_images_of_some_classes_have_scikit_learns_optimum(make_trial, make_evaluator, seed, balance):
    """A bias that all classes share decides nothing, and must not grow by rounding."""
    rng = np.random.default_rng(seed)
    classes, images, c = int(rng.integers(3, 8)), int(rng.integers(3, 12)), 10 ** rng.uniform(-6, 0)
    trial = make_trial(classes=classes, noise=1.5, train=rng.permutation(60)[:images], data_seed=seed)
    present = np.unique(trial.splits["train"].labels[trial.train])
    found = make_evaluator("logistic", **only(c), balance=balance).evaluate(trial)
    weights = {"class_weight": None if balance == "none" else "balanced"}
    scores = probabilities_of_scikit(trial, c, Task.MULTI_CLASS, **weights)
    np.testing.assert_allclose(found.scores[:, present], scores, atol=1e-5)
    if len(present) > 2:  # else it is one decision
        assert abs(found.weights["head"]["bias"][present].mean()) < 1e-3


@pytest.mark.parametrize("seed", range(6))
def test_steps_to_where_all_images_are_surely_wrong_are_survived(make_trial, make_evaluator, seed):
    """Many classes of few images each, far apart: the first step can be far too long, and float32 sees no curvature."""
    rng = np.random.default_rng(seed)
    trial = make_trial(classes=60, counts={"train": 150, "val": 60, "test": 60})
    means = 5 * rng.normal(size=(60, 700)) / np.sqrt(700)
    for split, found in trial.splits.items():
        found.labels[:] = rng.integers(0, 60, found.labels.shape)
        trial.features[split] = torch.from_numpy(
            rng.normal(size=(len(found.labels), 700)) + means[found.labels[:, 0]]
        ).float()
    found = make_evaluator("logistic").evaluate(trial)
    present = np.unique(trial.splits["train"].labels)
    wanted = probabilities_of_scikit(trial, found.metrics["C"], Task.MULTI_CLASS)
    np.testing.assert_allclose(found.scores[:, present], wanted, atol=1e-5)
    assert found.flags == {}


@pytest.mark.parametrize("c", [1e-3, 1.0])
def test_more_features_than_are_told_apart_have_scikit_learns_optimum(make_trial, make_evaluator, c):
    """As those of an untrained network: hundreds, which vary along few axes, none alike."""
    trial = make_trial(classes=4, counts={"train": 300, "val": 100, "test": 120})
    rng = np.random.default_rng(0)
    axes = rng.normal(size=(200, 200)) * np.logspace(0, -4, 200)[:, None]
    for split, found in trial.splits.items():
        places = rng.gamma(0.7, size=(len(found.labels), 200)) + (np.arange(200) % 4 == found.labels)
        trial.features[split] = torch.from_numpy(np.maximum(places @ axes, 0)).float()
    found = make_evaluator("logistic", **only(c)).evaluate(trial)
    np.testing.assert_allclose(found.scores, probabilities_of_scikit(trial, c, Task.MULTI_CLASS), atol=2e-5)
    assert found.flags == {}


def test_the_kept_layer_gives_the_scores_from_features_as_they_are(make_trial, make_evaluator):
    trial = make_trial(noise=1.5)
    found = make_evaluator("logistic").evaluate(trial)
    logits = torch.nn.functional.linear(trial.features["test"], **found.weights["head"])
    np.testing.assert_allclose(found.scores, logits.softmax(dim=1), atol=1e-6)


def test_class_weights_are_scikit_learns(make_trial, make_evaluator):
    trial = make_trial(noise=1.5, train=[*range(0, 60, 3), 1, 4, 2])
    found = make_evaluator("logistic", **only(0.1, balance="class_weights")).evaluate(trial)
    wanted = probabilities_of_scikit(trial, 0.1, Task.MULTI_CLASS, class_weight="balanced")
    np.testing.assert_allclose(found.scores, wanted, atol=1e-5)
    plain = make_evaluator("logistic", **only(0.1)).evaluate(trial)
    assert np.abs(found.scores - plain.scores).max() > 0.05


def test_c_is_what_does_best_on_validation_images(make_trial, make_evaluator):
    trial = make_trial(noise=2.5, train=SOME)
    evaluator = make_evaluator("logistic")
    assert len(evaluator.path) == 31
    labels = trial.splits["val"].labels[:, 0]
    wanted = []
    for c in evaluator.path:
        scores = probabilities_of_scikit(trial, c, Task.MULTI_CLASS, "val")
        wanted.append((accuracy_score(labels, scores.argmax(axis=1)), -log_loss(labels, scores)))
    found = evaluator.evaluate(trial)
    best = max(range(31), key=wanted.__getitem__)
    assert 0 < best < 30
    assert found.metrics["C"] == pytest.approx(evaluator.path[best])
    np.testing.assert_allclose(found.arrays["path_c"], evaluator.path)
    np.testing.assert_allclose(found.arrays["path_accuracy"], [accuracy for accuracy, _ in wanted])
    np.testing.assert_allclose(found.arrays["path_loss"], [-loss for _, loss in wanted], atol=1e-5)


def test_c_can_be_chosen_by_another_metric(make_trial, make_evaluator):
    registry = load_plugins().registry
    criterion = find_criterion("auroc", registry, {})
    assert isinstance(criterion, Criterion)
    trial = make_trial(noise=2.5, train=SOME, criterion=criterion)
    evaluator = make_evaluator("logistic")
    labels = trial.splits["val"].labels[:, 0]
    areas = []
    for c in evaluator.path:
        scores = probabilities_of_scikit(trial, c, Task.MULTI_CLASS, "val")
        areas.append(roc_auc_score(labels, scores, multi_class="ovr"))
    chosen = evaluator.path.index(evaluator.evaluate(trial).metrics["C"])
    assert areas[chosen] == pytest.approx(max(areas), abs=1e-6)


@pytest.mark.parametrize("grouped", [False, True])
def test_without_validation_labels_c_is_chosen_by_cross_validation(make_trial, make_evaluator, grouped):
    trial = make_trial(noise=2.5, train=SOME, val=[])
    if grouped:
        trial.splits["train"] = replace(trial.splits["train"], groups=np.arange(60) // 4)
    evaluator = make_evaluator("logistic", values=9, folds=4)
    features, labels = trial.features["train"].double().numpy()[SOME], trial.splits["train"].labels[SOME]
    groups = SOME // 4 if grouped else None
    folds = drawn_splits(labels, groups, dict.fromkeys(range(4), 1.0), seed=0)
    wanted = []
    for c in evaluator.path:
        scores = np.empty((len(SOME), 3))
        for held_out in folds.values():
            rest = np.setdiff1d(np.arange(len(SOME)), held_out)
            if grouped:
                assert not set(groups[rest]) & set(groups[held_out])
            scores[held_out] = scikits(features[rest], labels[rest, 0], c).predict_proba(features[held_out])
        wanted.append((accuracy_score(labels, scores.argmax(axis=1)), -log_loss(labels, scores)))
    found = evaluator.evaluate(trial)
    chosen = evaluator.path[max(range(9), key=wanted.__getitem__)]
    assert found.metrics["C"] == pytest.approx(chosen)
    np.testing.assert_allclose(found.scores, probabilities_of_scikit(trial, chosen, Task.MULTI_CLASS), atol=1e-5)


def test_the_test_images_choose_only_where_that_is_measured(make_trial, make_evaluator):
    evaluator = make_evaluator("logistic")
    trial = make_trial(noise=2.5, train=SOME)
    poisoned = make_trial(noise=2.5, train=SOME)
    poisoned.splits["test"].labels[:] = 0
    assert np.array_equal(evaluator.evaluate(trial).scores, evaluator.evaluate(poisoned).scores)
    by_test = evaluator.evaluate(replace(trial, selection="test"))
    hits = by_test.scores.argmax(axis=1) == trial.splits["test"].labels[:, 0]
    assert hits.mean() == by_test.arrays["path_accuracy"].max()


def test_the_training_seed_changes_nothing(make_trial, make_evaluator):
    evaluator = make_evaluator("logistic")
    for val in ([], range(30)):
        first, second = (evaluator.evaluate(make_trial(noise=2.0, train=SOME, val=val, seed=seed)) for seed in (0, 1))
        assert np.array_equal(first.scores, second.scores)


@pytest.mark.parametrize(("scale", "shift"), [(1e-4, 0.0), (1e3, 0.3), (0.5, -20.0)])
def test_units_of_features_change_nothing(make_trial, make_evaluator, scale, shift):
    trial = make_trial(noise=1.5, train=SOME)
    wanted = make_evaluator("logistic", values=3).evaluate(trial)
    trial.features.update({name: scale * (found.double() + shift) for name, found in trial.features.items()})
    found = make_evaluator("logistic", values=3).evaluate(trial)
    assert found.metrics == wanted.metrics
    np.testing.assert_allclose(found.scores, wanted.scores, atol=2e-3)  # its layer is float32, and far from 0


def test_small_features_are_no_handicap(make_trial, make_evaluator):
    """As those of an untrained network, which a fixed learning rate does not get far with."""
    trial = make_trial(noise=0.3)
    trial.features.update({name: 1e-3 * found for name, found in trial.features.items()})
    labels = trial.splits["test"].labels[:, 0]
    hits = {
        name: (make_evaluator(name, **given).evaluate(trial).scores.argmax(axis=1) == labels).mean()
        for name, given in (("logistic", {}), ("linear_probe", {"epochs": 20}))
    }
    assert hits["logistic"] > 0.95
    assert hits["linear_probe"] < hits["logistic"]


def test_constant_features_count_nothing(make_trial, make_evaluator):
    trial = make_trial(noise=1.5, train=SOME)
    wanted = make_evaluator("logistic", **only(0.1)).evaluate(trial)
    rng = np.random.default_rng(0)
    for name, found in trial.features.items():
        noise = torch.from_numpy(rng.normal(size=(len(found), 1))).float()
        trial.features[name] = torch.cat([found, torch.full((len(found), 1), 7.0), 5 + 1e-7 * noise], dim=1)
    found = make_evaluator("logistic", **only(0.1)).evaluate(trial)
    np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-5)


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
@pytest.mark.parametrize("constant", [0.0, 3.0])
@pytest.mark.parametrize("val", [None, []])
def test_images_that_are_all_alike_are_predicted_by_how_often_a_class_is(
    make_trial, make_evaluator, task, constant, val
):
    trial = make_trial(task, classes=classes_of(task), train=SOME, val=val)
    for name, found in trial.features.items():
        trial.features[name] = torch.full_like(found, constant)
    found = make_evaluator("logistic").evaluate(trial)
    labels = trial.splits["train"].labels[SOME]
    often = labels.mean(axis=0) if task is Task.MULTI_LABEL else np.bincount(labels[:, 0]) / len(SOME)
    np.testing.assert_allclose(found.scores, np.broadcast_to(often, found.scores.shape), atol=1e-6)
    assert found.flags == {}


def test_a_class_without_a_labelled_image_is_never_predicted(make_trial, make_evaluator):
    trial = make_trial(noise=1.5, train=[place for place in range(60) if place % 3 != 1])
    found = make_evaluator("logistic", **only(0.1)).evaluate(trial)
    two = probabilities_of_scikit(trial, 0.1, Task.MULTI_CLASS)
    np.testing.assert_allclose(found.scores[:, [0, 2]], two, atol=1e-5)
    assert np.array_equal(found.scores[:, 1], np.zeros(45))


def test_labels_that_all_images_have_or_none_are_predicted_so(make_trial, make_evaluator):
    trial = make_trial(Task.MULTI_LABEL, noise=1.5, train=SOME)
    trial.splits["train"].labels[:, 0] = 1
    trial.splits["train"].labels[:, 1] = 0
    found = make_evaluator("logistic", **only(0.1)).evaluate(trial)
    assert np.array_equal(found.scores[:, 0], np.ones(45))
    assert np.array_equal(found.scores[:, 1], np.zeros(45))
    assert found.scores[:, 2].std() > 0.05


@pytest.mark.parametrize("train", [[0], [0, 3]])
def test_images_of_one_class_predict_it(make_trial, make_evaluator, train):
    found = make_evaluator("logistic").evaluate(make_trial(train=train))
    np.testing.assert_allclose(found.scores, np.eye(3)[[0] * 45], atol=1e-6)


def test_one_labelled_image_cannot_be_cross_validated(make_trial, make_evaluator):
    with pytest.raises(StageError, match="that needs two labelled images"):
        make_evaluator("logistic").evaluate(make_trial(train=[0], val=[]))


def test_penalties_that_memory_parts_have_the_same_optima(make_trial, make_evaluator, monkeypatch):
    trial, evaluator = make_trial(noise=1.5, train=SOME), make_evaluator("logistic", values=5)
    wanted = evaluator.evaluate(trial)
    monkeypatch.setattr(logistic_path, "_CHANCES", 2 * 3 * len(SOME))
    found = evaluator.evaluate(trial)
    assert found.metrics == wanted.metrics
    np.testing.assert_allclose(found.arrays["path_loss"], wanted.arrays["path_loss"], atol=1e-6)


def test_what_has_not_converged_says_so(make_trial, make_evaluator):
    found = make_evaluator("logistic", **only(1.0, iterations=2)).evaluate(make_trial(noise=1.5))
    wanted = "the probe had not converged (2 iterations of conjugate gradients were too few at C = 1; give it more)"
    assert found.flags == {"probe_not_converged": wanted}


def test_a_path_that_falls_is_refused(make_evaluator):
    with pytest.raises(ParameterProblem, match="smallest must not be larger than largest"):
        make_evaluator("logistic", smallest=1.0, largest=0.1)
