"""A linear probe with another schedule, or another optimiser, against a plain loop of PyTorch's own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from evaluators.test_probes import same
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import LambdaLR

from medssl_bench.datasets import Task
from medssl_bench.datasets.base import LABELLED_TASKS
from medssl_bench.errors import StageError
from medssl_bench.evaluators.classification import loss, targets
from medssl_bench.evaluators.linear_probe import LinearProbe
from medssl_bench.evaluators.minibatches import minibatches
from medssl_bench.randomness import forked

SETTINGS = {"epochs": 10, "lr": 0.05, "weight_decay": 0.1, "batch_size": 16}
COSINE = {"name": "cosine", "minimum": 1e-3, "warmup": 2}


def cosine(epoch):
    """Return the factor of the rate, by Loshchilov and Hutter 2017, eq. 5, after a rise over two epochs."""
    if epoch < 2:
        return (epoch + 1) / 3
    least = 1e-3 / 0.05
    return least + (1 - least) * (1 + math.cos(math.pi * (epoch - 2) / 8)) / 2


def drops(epoch):
    return 0.1 ** ((epoch >= 6) + (epoch >= 8))


def by_hand(trial, make, factor):
    task = trial.info.task
    features = trial.features["train"][trial.train]
    wanted = targets(task, trial.splits["train"].labels[trial.train])
    with forked(trial.stream("probe weights")):
        probe = torch.nn.Linear(features.shape[1], len(trial.info.classes))
    optimizer = make(probe.parameters())
    scheduler = LambdaLR(optimizer, factor)
    for epoch in range(10):
        for batch in minibatches(len(features), 16, trial.stream("probe batches", epoch=epoch)):
            optimizer.zero_grad()
            loss(task, probe(features[batch]), wanted[batch]).backward()
            optimizer.step()
        scheduler.step()
    return probe.state_dict()


def close(found, expected):
    for name, tensor in found.weights["head"].items():
        torch.testing.assert_close(tensor, expected[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
def test_another_schedule(make_trial, make_evaluator, task):
    trial = make_trial(task, classes=2 if task is Task.BINARY else 3, noise=1.0, selection="last", train=range(41))

    evaluator = make_evaluator("linear_probe", **SETTINGS, schedule=COSINE)

    assert type(evaluator) is LinearProbe
    close(evaluator.evaluate(trial), by_hand(trial, lambda p: AdamW(p, lr=0.05, weight_decay=0.1), cosine))


@pytest.mark.parametrize("task", list(LABELLED_TASKS))
@pytest.mark.parametrize(("schedule", "factor"), [(None, drops), (COSINE, cosine)], ids=["drops", "cosine"])
@pytest.mark.parametrize(
    ("optimizer", "make"),
    [
        ({"name": "sgd", "lr": 0.05, "momentum": 0.8}, lambda p: SGD(p, lr=0.05, weight_decay=1e-4, momentum=0.8)),
        ({"name": "adam", "lr": 0.05, "weight_decay": 0.1}, lambda p: Adam(p, lr=0.05, weight_decay=0.1)),
    ],
    ids=["sgd", "adam"],
)
def test_another_optimizer(make_trial, make_evaluator, task, schedule, factor, optimizer, make):
    trial = make_trial(task, classes=2 if task is Task.BINARY else 3, noise=1.0, selection="last", train=range(41))

    evaluator = make_evaluator("linear_probe", epochs=10, batch_size=16, optimizer=optimizer, schedule=schedule)

    close(evaluator.evaluate(trial), by_hand(trial, make, factor))


def test_a_weight_decay_that_follows_the_epochs(make_trial, make_evaluator):
    trial, made = make_trial(noise=1.0, selection="last", train=range(41)), []

    def make(parameters):
        made.append(AdamW(parameters, lr=0.05))
        return made[0]

    def factor(epoch):
        for group in made[0].param_groups:
            group["weight_decay"] = 2.0 + (0.1 - 2.0) * (1 + math.cos(math.pi * epoch / 10)) / 2
        return cosine(epoch)

    optimizer = {"name": "adamw", "lr": 0.05, "weight_decay": 0.1, "weight_decay_end": 2.0}
    evaluator = make_evaluator("linear_probe", epochs=10, batch_size=16, optimizer=optimizer, schedule=COSINE)

    close(evaluator.evaluate(trial), by_hand(trial, make, factor))


@pytest.mark.parametrize("balance", ["none", "undersample", "oversample", "class_weights"])
def test_with_adamw_it_is_the_probe_without(make_trial, make_evaluator, balance):
    trial = make_trial(noise=1.0, val=range(11), train=np.r_[0:40:3, 1:20:3, 2:9:3])
    adamw = {"name": "adamw", "lr": 0.05, "weight_decay": 0.1}

    usual = make_evaluator("linear_probe", **SETTINGS, validate_every=1, balance=balance).evaluate(trial)
    found = make_evaluator(
        "linear_probe", epochs=10, batch_size=16, validate_every=1, balance=balance, optimizer=adamw
    ).evaluate(trial)

    assert found.selected_epoch == usual.selected_epoch
    np.testing.assert_allclose(found.scores, usual.scores, atol=1e-5)
    for one, other in zip(found.history, usual.history, strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-5)
    assert found.metrics["loss_gap"] == pytest.approx(usual.metrics["loss_gap"], abs=1e-4)


@pytest.mark.parametrize("schedule", [COSINE, "constant"])
def test_a_schedule_keeps_probes_independent_of_their_batch(make_trial, make_evaluator, schedule):
    trials = [make_trial(noise=1.0, train=range(seed, 45), seed=seed) for seed in range(5)]
    evaluator = make_evaluator("linear_probe", **SETTINGS, schedule=schedule)

    for trial, found in zip(trials, evaluator.evaluate_together(trials), strict=True):
        same(found, evaluator.evaluate(trial))


def test_without_either_it_is_the_probe_that_it_was(make_trial, make_evaluator):
    trial = make_trial(noise=1.0)
    plain = make_evaluator("linear_probe", **SETTINGS)
    said = make_evaluator("linear_probe", **SETTINGS, optimizer=None, schedule=None)

    assert isinstance(said, LinearProbe)
    assert said.judges_together
    same(plain.evaluate(trial), said.evaluate(trial))


def test_with_an_optimizer_each_is_trained_by_itself_and_the_seed_decides(make_trial, make_evaluator):
    evaluator = make_evaluator("linear_probe", **SETTINGS, optimizer="sgd")
    assert not evaluator.judges_together, "so stages are not packed"
    first, other = make_trial(noise=1.0), make_trial(noise=1.0, seed=1)
    torch.manual_seed(1)
    state = torch.get_rng_state()

    found = evaluator.evaluate(first)
    assert torch.equal(torch.get_rng_state(), state)

    torch.manual_seed(2)
    same(found, evaluator.evaluate(first))
    same(found, evaluator.evaluate_together([other, first])[1])
    assert not np.array_equal(found.scores, evaluator.evaluate(other).scores)


def test_an_optimizer_that_draws_does_not_depend_on_others(make_trial, make_evaluator):
    class Noisy(SGD):
        def step(self, closure=None):
            for group in self.param_groups:
                for parameter in group["params"]:
                    parameter.grad.add_(torch.randn_like(parameter))
            return super().step(closure)

    evaluator = make_evaluator("linear_probe", **SETTINGS, optimizer="sgd")
    evaluator = replace(evaluator, optimizer=lambda groups, **_: Noisy(groups, lr=0.01))
    first, other = make_trial(noise=1.0), make_trial(noise=1.0, seed=1)

    same(evaluator.evaluate_together([other, first])[1], evaluator.evaluate_together([first, other])[0])


def test_what_is_no_optimizer_is_one_line(make_trial, make_evaluator):
    evaluator = make_evaluator("linear_probe", **SETTINGS, optimizer="sgd")
    evaluator = replace(evaluator, optimizer=lambda **_: "sgd")
    with pytest.raises(StageError, match="the optimizer's factory gives str"):
        evaluator.evaluate(make_trial())


def test_every_look_is_told_and_the_best_epoch_is_kept(make_trial, make_evaluator):
    told = []
    trial = make_trial(noise=2.5, val=range(11), report=lambda *row: told.append(row))

    found = make_evaluator("linear_probe", **SETTINGS, validate_every=5, optimizer="sgd").evaluate(trial)

    assert told == [(4, 10, found.history[0]), (9, 10, found.history[1])]
    best = max(found.history, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    assert found.selected_epoch == best["epoch"]
