"""The contract of optimisers: they follow the learning rate that is set, and go on from a checkpoint to the bit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from medssl_bench.testing.checking import Group, require
from medssl_bench.training.optimizer import make_optimizer, set_learning_rate
from medssl_bench.training.state import restore_state, state_of

Build = Callable[[list[dict[str, Any]], bool], Optimizer]

_STEPS = 8


def optimizer_steps(build: Build) -> list[Group]:
    """Return the steps for an optimiser.

    Args:
        build: makes it, from parameter groups and whether steps are recorded.

    Raises:
        Failed: what it makes is no optimiser, or has no learning rate.
    """
    _, made = _task(build)
    require(isinstance(made, Optimizer), f"the factory gives {type(made).__name__}, not a torch.optim.Optimizer")
    return [
        [("small steps lower a simple loss", partial(_descends, build))],
        [
            ("it uses the learning rate that is set before each step", partial(_follows, build)),
            ("it goes on from a checkpoint to the same weights", partial(_resumes, build)),
            ("the same gradients give the same weights", partial(_repeats, build)),
        ],
    ]


def _task(build: Build) -> tuple[nn.Module, Optimizer]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    decayed = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
    return network, make_optimizer(groups, {}, make=build)


def _loss(network: nn.Module) -> Tensor:
    images = torch.linspace(-1, 1, 60).view(10, 6)
    loss: Tensor = (network(images) - images[:, :2].sin()).square().mean()
    return loss


def _train(network: nn.Module, optimizer: Optimizer, steps: int = _STEPS, lr: float = 2**-9) -> None:
    for _ in range(steps):
        set_learning_rate(optimizer, lr)
        optimizer.zero_grad(set_to_none=True)
        _loss(network).backward()
        optimizer.step()


def _descends(build: Build) -> str:
    network, optimizer = _task(build)
    before = float(_loss(network).detach())
    _train(network, optimizer)
    after = float(_loss(network).detach())
    require(after < before, f"after {_STEPS} steps with a learning rate of 1/512 the loss is {after}; it was {before}")
    return f"{before:.4g} becomes {after:.4g}"


def _follows(build: Build) -> str:
    first, second = _task(build), _task(build)
    _train(*first)
    _train(*second, lr=2**-7)
    pairs = zip(first[0].parameters(), second[0].parameters(), strict=True)
    same = any(torch.equal(one, other) for one, other in pairs)
    require(not same, 'another learning rate gives the same weights; read group["lr"] in every step')
    return "yes"


def _resumes(build: Build) -> str:
    network, optimizer = _task(build)
    _train(network, optimizer)
    saved = {name: tensor.detach().clone() for name, tensor in state_of(network, optimizer).items()}
    _train(network, optimizer)
    other, fresh = _task(build)
    restore_state(other, fresh, saved)
    _train(other, fresh)
    _require_alike(network, other, "one that went on from a checkpoint; keep all state in tensors of `self.state`")
    return "yes"


def _repeats(build: Build) -> str:
    first, second = _task(build), _task(build)
    _train(*first)
    _train(*second)
    _require_alike(first[0], second[0], "a second one that did the same steps")
    return "yes"


def _require_alike(first: nn.Module, second: nn.Module, what: str) -> None:
    same = all(torch.equal(one, two) for one, two in zip(first.parameters(), second.parameters(), strict=True))
    require(same, f"its weights differ from those of {what}")
