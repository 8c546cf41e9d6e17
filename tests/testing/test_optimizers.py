"""The contract of optimisers and schedules fails what breaks it, and says how."""

# ruff: noqa: ARG005 - the harness decides what is handed over

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch.optim import SGD, Adam, Optimizer

from medssl_bench.testing.checking import run_steps
from medssl_bench.testing.optimizers import optimizer_steps
from medssl_bench.testing.schedules import schedule_steps


class Deaf(Optimizer):
    """Has a learning rate of its own."""

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                weight.sub_(1e-3 * weight.grad)


class Forgetful(Deaf):
    """Counts its steps where no checkpoint looks."""

    steps = 0

    @torch.no_grad()
    def step(self, closure=None):
        self.steps += 1
        for group in self.param_groups:
            for weight in group["params"]:
                weight.sub_(group["lr"] * weight.grad / self.steps)


class Rising(SGD):
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad.neg_()
        super().step()


def failures(steps):
    return [check.found for check in run_steps("x", steps) if not check.ok]


@pytest.mark.parametrize("made", [SGD, Adam])
def test_pytorchs_own_hold_to_it(made):
    assert failures(optimizer_steps(lambda groups, recorded: made(groups, lr=0.1))) == []


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (lambda groups: Deaf(groups, {"lr": 0.1}), "another learning rate gives the same weights"),
        (lambda groups: Forgetful(groups, {"lr": 0.1}), "went on from a checkpoint"),
        (lambda groups: Rising(groups, lr=0.1), "the loss is"),
    ],
)
def test_what_breaks_it_is_told(made, complaint):
    (found,) = failures(optimizer_steps(lambda groups, recorded: made(groups)))
    assert complaint in found


def test_one_without_a_learning_rate_is_refused():
    with pytest.raises(Exception, match="no learning rate among its defaults"):
        optimizer_steps(lambda groups, recorded: Deaf(groups, {}))
    with pytest.raises(Exception, match="gives int, not a torch"):
        optimizer_steps(lambda groups, recorded: 3)


def counting():
    numbers = itertools.count()
    return lambda place, length, lr: lr / (1 + next(numbers))


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (counting, "keep no state"),
        (
            lambda: lambda place, length, lr: -lr,
            "the schedule gives -0.00390625 at place 0 of 1, not a finite number from 0",
        ),
        (lambda: lambda place, length, lr: math.nan, "the schedule gives nan at place 0 of 1"),
        (lambda: lambda place, length, lr: "fast", "the schedule gives 'fast' at place 0 of 1"),
        (lambda: lambda place, length, lr: 0.0, "every rate is 0"),
    ],
)
def test_a_schedule_that_breaks_it_is_told(build, complaint):
    (found,) = failures(schedule_steps(build))
    assert complaint in found


def test_a_sound_schedule_passes():
    assert failures(schedule_steps(lambda: lambda place, length, lr: lr * (1 - place / length))) == []
