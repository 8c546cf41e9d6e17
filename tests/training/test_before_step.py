"""Clipped gradients, a weight decay that follows the training, and groups whose learning rate stays."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Adam, AdamW

from medssl_bench.training.before_step import set_progress
from medssl_bench.training.optimizer import make_optimizer, set_learning_rate

LARGE, END, STEPS = 0.2, 0.04, 8
PLAIN = {
    "adamw": lambda groups: AdamW(groups, lr=0.05, weight_decay=LARGE),
    "adam": lambda groups: Adam(groups, lr=0.05, weight_decay=LARGE),
    "sgd": lambda groups: SGD(groups, lr=0.05, weight_decay=LARGE, momentum=0.9),
}


def _settings(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "lr": 0.05, "weight_decay": LARGE, "momentum": 0.9, **more}


def _network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2)).double()


def _groups(network: nn.Module) -> list[dict[str, Any]]:
    decayed = [weight for weight in network.parameters() if weight.ndim > 1]
    half = [weight for weight in network.parameters() if weight.shape == (5,)]
    none = [weight for weight in network.parameters() if weight.shape == (2,)]
    return [{"params": decayed}, {"params": half, "weight_decay": LARGE / 2}, {"params": none, "weight_decay": 0.0}]


def _step(network: nn.Module, optimizer: Any, *, clip: float | None = None) -> None:
    images = torch.linspace(-3, 3, 60, dtype=torch.float64).view(10, 6)
    optimizer.zero_grad()
    (network(images) - 5 * images[:, :2].sin()).square().sum().backward()
    if clip is not None:
        clip_grad_norm_(network.parameters(), clip)
    optimizer.step()


def _same(one: nn.Module, other: nn.Module) -> None:
    for found, wanted in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("name", [*PLAIN, "lars"])
@pytest.mark.parametrize("clip", [1e-3, 1.0, 1e9])
def test_all_gradients_are_clipped_together_as_pytorch_does(name: str, clip: float) -> None:
    mine, plain = _network(), _network()
    clipped = make_optimizer(_groups(mine), _settings(name, clip=clip))
    unclipped = make_optimizer(_groups(plain), _settings(name))
    for _ in range(STEPS):
        _step(mine, clipped)
        _step(plain, unclipped, clip=clip)
    _same(mine, plain)
    norm = math.sqrt(sum(float(weight.grad.square().sum()) for weight in mine.parameters() if weight.grad is not None))
    assert norm <= clip * 1.0001


@pytest.mark.parametrize("name", PLAIN)
def test_a_weight_decay_that_falls_by_a_cosine_equals_one_that_is_set_by_hand(name: str) -> None:
    mine, plain = _network(), _network()
    falling = make_optimizer(_groups(mine), _settings(name, weight_decay_end=END))
    by_hand = PLAIN[name](_groups(plain))
    first = [group["weight_decay"] for group in by_hand.param_groups]
    assert first == [LARGE, LARGE / 2, 0.0]
    for step in range(STEPS):
        set_progress(falling, step / STEPS)
        wanted = END + (LARGE - END) * (1 + math.cos(math.pi * step / STEPS)) / 2
        for group, start in zip(by_hand.param_groups, first, strict=True):
            group["weight_decay"] = start * wanted / LARGE
        _step(mine, falling)
        _step(plain, by_hand)
    _same(mine, plain)


def test_it_begins_with_its_own_and_ends_with_the_other() -> None:
    optimizer = make_optimizer(_groups(_network()), _settings("adamw", weight_decay_end=END))
    decays = [float(group["decay"]) for group in optimizer.param_groups]
    assert decays == pytest.approx([LARGE, LARGE / 2, 0])
    held = [group["decay"] for group in optimizer.param_groups]
    set_progress(optimizer, 1.0)
    assert [float(group["decay"]) for group in optimizer.param_groups] == pytest.approx([END, END / 2, 0])
    assert all(group["decay"] is one for group, one in zip(optimizer.param_groups, held, strict=True))


def test_progress_changes_nothing_where_the_decay_stays() -> None:
    optimizer = make_optimizer(_groups(_network()), _settings("adamw"))
    set_progress(optimizer, 1.0)
    assert [group["weight_decay"] for group in optimizer.param_groups] == [LARGE, LARGE / 2, 0.0]


@pytest.mark.parametrize("recorded", [False, True])
def test_a_group_with_a_constant_rate_keeps_it(recorded: bool) -> None:
    layer = nn.Linear(2, 2)
    groups: list[dict[str, Any]] = [
        {"params": [layer.weight]},
        {"params": [layer.bias], "constant_lr": True, "lr_scale": 2.0},
    ]
    optimizer = make_optimizer(groups, _settings("lars"), recorded=recorded)
    for lr in (0.0, 0.01, 0.05):  # a warm-up begins with 0
        set_learning_rate(optimizer, lr)
        assert [float(group["lr"]) for group in optimizer.param_groups] == pytest.approx([lr, 0.1])


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_betas_are_pytorchs(name: str) -> None:
    mine, plain = _network(), _network()
    optimizer = make_optimizer(_groups(mine), _settings(name, betas=[0.8, 0.95]))
    kind = AdamW if name == "adamw" else Adam
    expected = kind(_groups(plain), lr=0.05, weight_decay=LARGE, betas=(0.8, 0.95))
    for _ in range(STEPS):
        _step(mine, optimizer)
        _step(plain, expected)
    _same(mine, plain)


def test_nesterov_is_pytorchs() -> None:
    mine, plain = _network(), _network()
    optimizer = make_optimizer(_groups(mine), _settings("sgd", nesterov=True, lr=1e-4))
    expected = SGD(_groups(plain), lr=1e-4, weight_decay=LARGE, momentum=0.9, nesterov=True)
    for _ in range(STEPS):
        _step(mine, optimizer)
        _step(plain, expected)
    _same(mine, plain)


@pytest.mark.parametrize("name", [*PLAIN, "lars"])
def test_a_weight_without_gradient_is_left_alone(name: str) -> None:
    used, unused = (torch.ones(3, requires_grad=True) for _ in range(2))
    optimizer = make_optimizer([{"params": [used, unused]}], _settings(name, clip=1.0, weight_decay_end=END))
    used.grad = torch.ones(3)
    optimizer.step()
    assert torch.equal(unused, torch.ones(3))
    assert not torch.equal(used, torch.ones(3))


def test_gradients_that_are_no_numbers_end_in_weights_that_are_none() -> None:
    """Nothing waits to see them: the loss of the epoch says it."""
    weight: Tensor = torch.ones(3, requires_grad=True)
    optimizer = make_optimizer([{"params": [weight]}], _settings("sgd", clip=1.0))
    weight.grad = torch.tensor([math.nan, 1.0, 1.0])
    optimizer.step()
    assert torch.isnan(weight).all()
