"""Epochs that are chosen by another metric than the default, found again by scikit-learn."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from evaluators.test_linear_probe import by_hand, predict
from evaluators.test_probes import SETTINGS as TOGETHER
from evaluators.test_probes import same
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score
from sklearn.preprocessing import label_binarize

from medssl_bench.datasets import Task
from medssl_bench.errors import PluginError, StageError
from medssl_bench.evaluators.classification import BestEpoch, loss, probabilities, targets
from medssl_bench.metrics import Metric
from medssl_bench.metrics.criterion import Criterion, make_criterion
from medssl_bench.plugin.component import Component
from medssl_bench.plugin.manager import load_plugins
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting

REGISTRY = load_plugins().registry


def built_in(name):
    return make_criterion(REGISTRY.resolve_or_raise("metric", name), REGISTRY)


def own(measure, **about):
    return Criterion(Component("metric", "own"), Metric(measure, **about))


def brier():
    def measure(given):
        truth = np.eye(given.scores.shape[1])[given.labels[:, 0]]
        return float(((given.scores - truth) ** 2).sum(axis=1).mean())

    return own(measure, higher_is_better=False, high=2.0)


def by_scikit_learn(name, labels, scores):
    """Return how good scores are, higher being better, by scikit-learn's own function."""
    if name == "auroc":
        return roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    if name == "balanced_accuracy":
        return balanced_accuracy_score(labels, scores.argmax(axis=1))
    if name == "loss":
        return -log_loss(labels, scores)
    return -np.square(label_binarize(labels, classes=[0, 1, 2]) - scores).sum(axis=1).mean()


SETTINGS = {"epochs": 12, "lr": 0.2, "weight_decay": 0.1, "batch_size": 8}
VAL = 13
CRITERIA = {
    "loss": built_in("loss"),
    "auroc": built_in("auroc"),
    "balanced_accuracy": built_in("balanced_accuracy"),
    "own": brier(),
}


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize("selection", ["validation", "test"])
@pytest.mark.parametrize("seed", range(3))
def test_the_epoch_of_a_probe_is_that_of_a_search_by_scikit_learn(make_trial, make_evaluator, name, selection, seed):
    """Every epoch's probe is trained again by a plain loop, and the best is searched for by another implementation."""
    trial = make_trial(noise=2.5, selection=selection, val=range(VAL), seed=seed, criterion=CRITERIA[name])

    found = make_evaluator("linear_probe", **SETTINGS, validate_every=1).evaluate(trial)

    split, count = ("val", VAL) if selection == "validation" else ("test", 45)
    labels, features = trial.splits[split].labels[:count, 0], trial.features[split][:count]
    states = by_hand(trial, **SETTINGS, milestones=[7, 9])
    logits = [predict(state, features) for state in states]
    scores = [each.double().softmax(dim=1).numpy() for each in logits]
    ranks = [
        (
            round(by_scikit_learn(name, labels, each), 6),
            -loss(Task.MULTI_CLASS, raw, targets(Task.MULTI_CLASS, labels[:, None])).item(),
        )
        for each, raw in zip(scores, logits, strict=True)
    ]
    assert found.selected_epoch == max(range(12), key=lambda epoch: ranks[epoch])
    sign = -1 if name in {"own", "loss"} else 1
    assert [sign * row[f"val_{name}"] for row in found.history] == pytest.approx([rank[0] for rank in ranks], abs=1e-5)
    assert all(0 <= row["val_accuracy"] <= 1 for row in found.history)


def test_another_metric_chooses_another_epoch(make_trial, make_evaluator):
    trials = [make_trial(noise=2.5, val=range(VAL), seed=seed) for seed in range(6)]
    evaluator = make_evaluator("linear_probe", **SETTINGS, validate_every=1)

    default, by_brier = (
        [evaluator.evaluate(replace(trial, criterion=criterion)) for trial in trials] for criterion in (None, brier())
    )

    chosen = [(one.selected_epoch, other.selected_epoch) for one, other in zip(default, by_brier, strict=True)]
    assert any(one != other for one, other in chosen)
    for one, other in zip(default, by_brier, strict=True):
        assert np.array_equal(one.last_scores, other.last_scores), "the training is the same"


@pytest.mark.parametrize("task", [Task.MULTI_CLASS, Task.MULTI_LABEL])
def test_naming_the_default_changes_nothing(make_trial, make_evaluator, task):
    name = "auroc" if task is Task.MULTI_LABEL else "accuracy"
    trial = make_trial(task, noise=2.0, val=range(VAL))
    evaluator = make_evaluator("linear_probe", **SETTINGS, validate_every=1)

    same(evaluator.evaluate(trial), evaluator.evaluate(replace(trial, criterion=built_in(name))))


def test_each_probe_of_a_batch_is_chosen_by_its_own_metric(make_trial, make_evaluator):
    first = make_trial(noise=2.5, val=range(VAL))
    criteria = [None, *CRITERIA.values()]
    trials = [
        replace(first, seed=seed, train=np.arange(seed, 45), criterion=criteria[seed % len(criteria)])
        for seed in range(9)
    ]
    evaluator = make_evaluator("linear_probe", **{**TOGETHER, "validate_every": 1})

    together = evaluator.evaluate_together(trials)

    for trial, found in zip(trials, together, strict=True):
        same(found, evaluator.evaluate(trial))


@pytest.mark.parametrize("seed", range(3))
def test_the_epoch_of_a_fine_tuning_is_the_best_of_its_history(make_trial, make_evaluator, seed):
    trial = make_trial(noise=3.0, val=range(VAL), seed=seed, criterion=brier())

    found = make_evaluator("finetune", epochs=8, lr=0.3, batch_size=16, validate_every=1).evaluate(trial)

    best = min(found.history, key=lambda row: (row["val_own"], row["val_loss"]))
    assert found.selected_epoch == best["epoch"]


def test_a_fine_tuning_that_was_interrupted_chooses_the_same_epoch(make_trial, make_evaluator):
    trial = make_trial(noise=3.0, val=range(VAL), criterion=brier())
    evaluator = make_evaluator("finetune", epochs=6, lr=0.3, batch_size=16, validate_every=1)
    whole = evaluator.evaluate(trial)
    for place in (3, 9):
        checkpoints = Interrupting(place)
        with pytest.raises(Stopped):
            evaluator.evaluate(replace(trial, checkpoints=checkpoints))
        again = evaluator.evaluate(replace(trial, checkpoints=checkpoints))
        assert (again.selected_epoch, again.history) == (whole.selected_epoch, whole.history)


LABELS = np.array([[0], [1], [0], [1]])
SURE = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, 2.0]])


def test_an_epoch_without_a_value_is_never_chosen():
    values = iter([None, 0.2, None, 0.4, None])
    best = BestEpoch(Task.BINARY, LABELS, own(lambda _: next(values)))

    rows = [best.look(epoch, SURE, {"epoch": torch.tensor(epoch)}) for epoch in range(5)]

    assert (best.epoch, best.state["epoch"].item()) == (3, 3)
    assert ["own" in row for row in rows] == [False, True, False, True, False]
    best.require_chosen()


def test_lower_is_better_where_the_metric_says_so():
    values = iter([0.3, 0.1, 0.2])
    best = BestEpoch(Task.BINARY, LABELS, own(lambda _: next(values), higher_is_better=False))

    for epoch in range(3):
        best.look(epoch, SURE, {})

    assert (best.epoch, best.rank[0]) == (1, -0.1)


def test_among_equals_the_lower_loss_counts_then_the_first():
    best = BestEpoch(Task.BINARY, LABELS, own(lambda _: 0.5))

    for epoch, size in enumerate([1.0, 2.0, 2.0, 1.5]):
        best.look(epoch, size * SURE, {})

    assert best.epoch == 1


def test_where_it_is_never_defined_the_cell_fails_and_says_what_to_do(make_trial, make_evaluator):
    trial = make_trial(noise=2.5, val=[0, 3, 6], criterion=built_in("auroc"))  # all of one class

    for name in ("linear_probe", "finetune"):
        with pytest.raises(
            StageError, match=r"no epoch can be chosen by 'auroc'.* on the 3 images .*validation_labels"
        ):
            make_evaluator(name, epochs=3).evaluate(trial)


def test_outputs_that_are_no_numbers_are_never_chosen():
    asked = []
    best = BestEpoch(Task.BINARY, LABELS, own(lambda given: asked.append(given) or 0.5))

    best.look(0, SURE * math.nan, {})

    assert (best.epoch, asked) == (-1, [])
    with pytest.raises(StageError, match="has it a value"):
        best.require_chosen()


def test_a_value_that_the_metric_cannot_have_is_an_error():
    with pytest.raises(PluginError, match=r"metric 'own' gives 1\.5, outside its range 0 to 1"):
        BestEpoch(Task.BINARY, LABELS, own(lambda _: 1.5)).look(0, SURE, {})


def test_it_is_given_probabilities_and_the_labels():
    def measure(given):
        assert given.task is Task.BINARY
        assert np.array_equal(given.labels, LABELS)
        assert np.array_equal(given.scores, probabilities(Task.BINARY, SURE))
        return 1.0

    assert BestEpoch(Task.BINARY, LABELS, own(measure)).look(0, SURE, {})["own"] == 1


def test_no_images_no_choice(make_trial):
    assert make_trial(val=[], criterion=brier()).best_epoch() is None
    assert make_trial(selection="last", criterion=brier()).best_epoch() is None
