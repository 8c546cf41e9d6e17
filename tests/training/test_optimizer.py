"""Optimisers, parameter groups and the learning rate."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW

from medssl_bench.methods import Method
from medssl_bench.training.optimizer import make_optimizer, set_learning_rate

SETTINGS = {"lr": 0.05, "weight_decay": 0.1, "momentum": 0.8}
EXPECTED = {
    "adamw": lambda parameters: AdamW(parameters, lr=0.05, weight_decay=0.1),
    "adam": lambda parameters: Adam(parameters, lr=0.05, weight_decay=0.1),
    "sgd": lambda parameters: SGD(parameters, lr=0.05, weight_decay=0.1, momentum=0.8),
}


def trained(make):
    torch.manual_seed(0)
    layer, images = nn.Linear(5, 3), torch.randn(20, 5)
    optimizer = make(layer)
    for _ in range(6):
        optimizer.zero_grad()
        layer(images).square().sum().backward()
        optimizer.step()
    return layer


@pytest.mark.parametrize("name", EXPECTED)
def test_each_is_pytorchs(name):
    mine = trained(
        lambda layer: make_optimizer(
            [{"params": list(layer.parameters()), "weight_decay": 0.1}], {**SETTINGS, "name": name}
        )
    )
    expected = trained(lambda layer: EXPECTED[name](layer.parameters()))

    for found, wanted in zip(mine.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("name", EXPECTED)
def test_weight_decay_is_the_groups_own(name):
    layer = nn.Linear(2, 2)
    groups = [{"params": [layer.weight], "weight_decay": 0.3}, {"params": [layer.bias], "weight_decay": 0.0}]

    optimizer = make_optimizer(groups, {**SETTINGS, "name": name})

    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.3, 0.0]


def test_the_rate_is_set_in_every_group_times_its_scale():
    layer = nn.Linear(2, 2)
    groups = [{"params": [layer.weight], "lr_scale": 10.0}, {"params": [layer.bias]}]
    optimizer = make_optimizer(groups, {**SETTINGS, "name": "sgd"})

    for lr in (0.1, 0.01):  # the scale is of the rate, not of what the group had before
        set_learning_rate(optimizer, lr)
        assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([10 * lr, lr])


def test_a_rate_that_is_a_tensor_stays_the_same_tensor():
    rate = torch.tensor(0.5)
    optimizer = Adam([torch.zeros(1, requires_grad=True)], lr=rate)
    held = optimizer.param_groups[0]["lr"]

    set_learning_rate(optimizer, 0.25)

    assert optimizer.param_groups[0]["lr"] is held
    assert held.item() == 0.25


class Frozen(Method):
    def __init__(self) -> None:
        super().__init__(nn.Linear(2, 2))
        self.target = nn.Linear(2, 2).requires_grad_(requires_grad=False)

    def views(self):
        return ()

    def forward(self, batch, progress):
        raise NotImplementedError


def test_a_methods_default_group_has_what_wants_a_gradient():
    method = Frozen()

    (group,) = method.parameter_groups(0.3)

    assert [id(parameter) for parameter in group["params"]] == [id(p) for p in method.encoder.parameters()]
    assert group["weight_decay"] == 0.3


@pytest.mark.parametrize("name", EXPECTED)
def test_a_group_without_weight_decay_has_the_recipes(name):
    optimizer = make_optimizer([{"params": [torch.zeros(1, requires_grad=True)]}], {**SETTINGS, "name": name})

    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1]


@pytest.mark.parametrize("name", ["adam", "adamw"])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_weights_and_gradients_of_any_memory_format_are_updated_as_pytorch_does(name, memory_format):
    torch.manual_seed(0)
    start = torch.randn(6, 5, 3, 3)
    mine = start.clone(memory_format=torch.contiguous_format).to(memory_format=memory_format).requires_grad_()
    plain = start.clone().requires_grad_()
    fused = make_optimizer([{"params": [mine]}], {**SETTINGS, "name": name})
    expected = EXPECTED[name]([plain])

    for gradient_format in (torch.channels_last, torch.contiguous_format, torch.channels_last):
        gradient = torch.randn(6, 5, 3, 3)
        mine.grad, plain.grad = gradient.to(memory_format=gradient_format), gradient
        fused.step()
        expected.step()

    torch.testing.assert_close(mine, plain)
    assert fused.state[mine]["exp_avg"].stride() == mine.stride(), "checkpoints keep moments as their weights lie"
