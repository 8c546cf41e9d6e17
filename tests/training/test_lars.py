"""LARS equals lightly's, which has branches that wait for the device."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from lightly.utils.lars import LARS
from torch import Tensor

from medssl_bench.training.before_step import set_progress
from medssl_bench.training.lars import Lars
from medssl_bench.training.optimizer import make_optimizer, set_learning_rate

SETTINGS = {"name": "lars", "lr": 0.3, "weight_decay": 0.05, "momentum": 0.9, "trust": 0.01}
SHAPES = [(5, 4), (7,), (3, 2, 3, 3), (1,)]


def weights(dtype: torch.dtype) -> list[Tensor]:
    draw = torch.Generator().manual_seed(0)
    found = [torch.randn(shape, generator=draw, dtype=torch.float64) for shape in SHAPES]
    found[1].zero_()  # a bias at the beginning: its norm is 0
    return [each.to(dtype).requires_grad_() for each in found]


def steps(optimizer: Any, trained: list[Tensor], *, count: int = 7, rising: float = 0.0) -> None:
    draw = torch.Generator().manual_seed(1)
    for step in range(count):
        set_learning_rate(optimizer, 0.3 + rising * step)
        for place, weight in enumerate(trained):
            weight.grad = torch.randn(weight.shape, generator=draw, dtype=torch.float64).to(weight.dtype)
            if (step + place) % 4 == 0:
                weight.grad.zero_()
        optimizer.step()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_several_steps_of_groups_with_and_without_weight_decay_equal_lightlys(
    momentum: float, dtype: torch.dtype
) -> None:
    mine, theirs = weights(dtype), weights(dtype)

    def groups(of: list[Tensor]) -> list[dict[str, Any]]:
        return [{"params": of[:2]}, {"params": of[2:3], "weight_decay": 0.2}, {"params": of[3:], "weight_decay": 0.0}]

    steps(make_optimizer(groups(mine), {**SETTINGS, "momentum": momentum}), mine)
    other = LARS(groups(theirs), lr=0.3, momentum=momentum, weight_decay=0.05, trust_coefficient=0.01)
    steps(other, theirs)
    for found, wanted, first in zip(mine, theirs, weights(dtype), strict=True):
        assert not torch.equal(found, first)
        torch.testing.assert_close(found, wanted)


def test_a_group_without_weight_decay_is_changed_as_by_sgd() -> None:
    mine, theirs = weights(torch.float64), weights(torch.float64)
    steps(make_optimizer([{"params": mine, "weight_decay": 0.0}], SETTINGS), mine, rising=1.0)
    steps(torch.optim.SGD(theirs, lr=0.1, momentum=0.9), theirs, rising=1.0)
    for found, wanted in zip(mine, theirs, strict=True):
        torch.testing.assert_close(found, wanted)


def test_a_weight_decay_that_follows_the_training_is_that_of_each_step() -> None:
    falling, fixed = weights(torch.float64), weights(torch.float64)
    optimizer = make_optimizer([{"params": falling}], {**SETTINGS, "weight_decay_end": 0.5})
    set_progress(optimizer, 1.0)
    steps(optimizer, falling)
    steps(make_optimizer([{"params": fixed}], {**SETTINGS, "weight_decay": 0.5}), fixed)
    for found, wanted in zip(falling, fixed, strict=True):
        torch.testing.assert_close(found, wanted)


def test_it_waits_for_no_device() -> None:
    """On torch's meta device, reading a value back is an error."""
    for extra in ({}, {"weight_decay_end": 0.5, "clip": 1.0}):
        trained = [torch.empty(shape, device="meta", requires_grad=True) for shape in SHAPES]
        optimizer = make_optimizer([{"params": trained}], {**SETTINGS, **extra}, recorded=True)
        assert isinstance(optimizer, Lars)
        for _ in range(2):
            for weight in trained:
                weight.grad = torch.empty_like(weight)
            optimizer.step()
