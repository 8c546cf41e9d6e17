"""The linear probe against scikit-learn, and step by step against a plain PyTorch loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from torch.optim import AdamW
from torch.optim.lr_scheduler import MultiStepLR

from medssl_bench.datasets import Task
from medssl_bench.datasets.base import LABELLED_TASKS
from medssl_bench.evaluators.classification import loss, probabilities, targets
from medssl_bench.evaluators.linear_probe import LinearProbe
from medssl_bench.evaluators.minibatches import minibatches
from medssl_bench.metrics.classification import measure
from medssl_bench.randomness import forked


def by_hand(trial, *, epochs, lr, weight_decay, batch_size, milestones):
    """Train as the thesis' table says, with PyTorch's own scheduler; return the probe after every epoch."""
    task = trial.info.task
    features, wanted = trial.features["train"][trial.train], trial.splits["train"].labels[trial.train]
    wanted = targets(task, wanted)
    with forked(trial.stream("probe weights")):
        probe = torch.nn.Linear(features.shape[1], len(trial.info.classes))
    optimizer = AdamW(probe.parameters(), lr=lr, weight_decay=weight_decay)
    scheduler = MultiStepLR(optimizer, milestones, gamma=0.1)
    states = []
    for epoch in range(epochs):
        for batch in minibatches(len(features), batch_size, trial.stream("probe batches", epoch=epoch)):
            optimizer.zero_grad()
            loss(task, probe(features[batch]), wanted[batch]).backward()
            optimizer.step()
        scheduler.step()
        states.append({name: tensor.clone() for name, tensor in probe.state_dict().items()})
    return states


def predict(state, features):
    return torch.nn.functional.linear(features, state["weight"], state["bias"])


SETTINGS = {"epochs": 10, "lr": 0.05, "weight_decay": 0.1, "batch_size": 16}


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
@pytest.mark.parametrize(
    ("epochs", "drops", "milestones"),
    [(10, "fraction", [6, 8]), (7, "fraction", [4, 5]), (90, "as_run", [60, 80]), (10, "as_run", [60, 80])],
)
def test_training_is_that_of_a_plain_loop(make_trial, make_evaluator, task, epochs, drops, milestones):
    trial = make_trial(task, classes=2 if task is Task.BINARY else 3, noise=1.0, selection="last", train=range(41))
    settings = {**SETTINGS, "epochs": epochs}

    found = make_evaluator("linear_probe", **settings, drops=drops).evaluate(trial)

    expected = by_hand(trial, **settings, milestones=milestones)[-1]
    for name, tensor in found.weights["head"].items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-4, atol=1e-6)


def test_one_epoch_has_the_whole_rate():
    assert (
        min(LinearProbe(**{**SETTINGS, "epochs": 1}, drops="fraction", validate_every=1, balance="none").milestones)
        == 1
    )


@given(epochs=st.integers(2, 100_000))
def test_the_rate_drops_at_60_and_80_percent(epochs):
    probe = LinearProbe(
        epochs=epochs, lr=1, weight_decay=0, batch_size=1, drops="fraction", validate_every=1, balance="none"
    )

    assert probe.milestones == (epochs * 6 // 10, epochs * 8 // 10)


@pytest.mark.parametrize("noise", [0.3, 0.8])
def test_a_converged_probe_is_scikit_learns_logistic_regression(make_trial, make_evaluator, noise):
    trial = make_trial(noise=noise, counts={"train": 300, "val": 30, "test": 300}, selection="last")

    found = make_evaluator("linear_probe", epochs=150, lr=0.05, weight_decay=0.0).evaluate(trial)

    reference = LogisticRegression(C=np.inf, max_iter=5000)
    reference.fit(trial.features["train"].numpy(), trial.splits["train"].labels[:, 0])
    expected = reference.predict_proba(trial.features["test"].numpy())
    truth = trial.splits["test"].labels
    accuracy, wanted = ((scores.argmax(axis=1) == truth[:, 0]).mean() for scores in (found.scores, expected))
    assert accuracy == pytest.approx(wanted, abs=0.015)
    assert measure(Task.MULTI_CLASS, truth, found.scores)["auroc"] == pytest.approx(
        measure(Task.MULTI_CLASS, truth, expected.astype(np.float32))["auroc"], abs=0.01
    )
    if noise == 0.8:  # not separable: the maximum is finite, and both find it
        np.testing.assert_allclose(found.scores, expected, atol=0.06)


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
@pytest.mark.parametrize("selection", ["validation", "test"])
@pytest.mark.parametrize("every", [1, 4])
def test_the_epoch_that_counts_is_the_best_of_those_looked_at(make_trial, make_evaluator, task, selection, every):
    """Brute force: every epoch's probe is kept, and the best is searched for afterwards."""
    trial = make_trial(task, classes=2 if task is Task.BINARY else 3, noise=2.0, selection=selection, val=range(11))

    found = make_evaluator("linear_probe", **SETTINGS, validate_every=every).evaluate(trial)

    states = by_hand(trial, **SETTINGS, milestones=[6, 8])
    looked = [epoch for epoch in range(10) if (epoch + 1) % every == 0 or epoch == 9]
    split, places = ("val", np.arange(11)) if selection == "validation" else ("test", np.arange(45))
    labels, features = trial.splits[split].labels[places], trial.features[split][places]

    def rank(epoch):
        logits = predict(states[epoch], features)
        measured = measure(task, labels, probabilities(task, logits))
        first = measured["auroc" if task is Task.MULTI_LABEL else "accuracy"]
        return first, -loss(task, logits, targets(task, labels)).item()

    best = max(looked, key=rank)
    assert found.selected_epoch == best
    test = trial.features["test"]
    np.testing.assert_allclose(found.scores, probabilities(task, predict(states[best], test)), atol=1e-5)
    np.testing.assert_allclose(found.last_scores, probabilities(task, predict(states[-1], test)), atol=1e-5)
    assert [row["epoch"] for row in found.history] == looked
    first = "val_auroc" if task is Task.MULTI_LABEL else "val_accuracy"
    assert [row[first] for row in found.history] == pytest.approx([rank(epoch)[0] for epoch in looked])


@pytest.mark.parametrize("given", [{"selection": "last"}, {"val": []}])
def test_else_the_last_epoch_counts(make_trial, make_evaluator, given):
    found = make_evaluator("linear_probe", **SETTINGS).evaluate(make_trial(noise=1.0, **given))

    assert found.selected_epoch == 9
    assert np.array_equal(found.scores, found.last_scores)
    assert all(row.keys() == {"epoch", "loss"} for row in found.history)


def test_the_head_that_is_kept_gives_the_scores(make_trial, make_evaluator):
    trial = make_trial(noise=2.0)

    found = make_evaluator("linear_probe", **SETTINGS, validate_every=1, balance="none").evaluate(trial)

    logits = predict(found.weights["head"], trial.features["test"])
    np.testing.assert_allclose(found.scores, logits.softmax(dim=1).numpy(), rtol=1e-5)


def test_labels_outside_the_draw_are_not_looked_at(make_trial, make_evaluator):
    kept, spoiled = make_trial(train=range(30), val=range(10)), make_trial(train=range(30), val=range(10))
    spoiled.splits["train"].labels[30:] = 0
    spoiled.splits["val"].labels[10:] = 0
    spoiled.splits["test"].labels[:] = 0

    first, second = (make_evaluator("linear_probe", **SETTINGS).evaluate(trial).scores for trial in (kept, spoiled))

    assert np.array_equal(first, second)


def test_the_seed_decides_and_nothing_else(make_trial, make_evaluator):
    evaluator = make_evaluator("linear_probe", **SETTINGS)
    torch.manual_seed(1)
    state = torch.get_rng_state()

    first = evaluator.evaluate(make_trial(noise=1.0)).scores
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(2)

    assert np.array_equal(first, evaluator.evaluate(make_trial(noise=1.0)).scores)
    assert not np.array_equal(first, evaluator.evaluate(make_trial(noise=1.0, seed=1)).scores)


def test_each_look_is_told_to_watchers(make_trial, make_evaluator):
    told = []
    trial = make_trial(report=lambda *row: told.append(row))

    found = make_evaluator("linear_probe", **SETTINGS, validate_every=5).evaluate(trial)

    assert told == [(4, 10, found.history[0]), (9, 10, found.history[1])]
