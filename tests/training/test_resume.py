"""A pretraining that is interrupted anywhere, any number of times, ends to the bit as one that is not."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from medssl_bench.checkpoints import Checkpoints, TrainingState
from medssl_bench.encoders.timm_encoder import TimmEncoder
from medssl_bench.errors import StageError
from medssl_bench.methods.simclr import SimCLR
from medssl_bench.randomness import forked
from medssl_bench.stopping import Stopped
from medssl_bench.testing.interrupting import Interrupting
from medssl_bench.training.optimizer import make_optimizer
from medssl_bench.training.state import restore_state, state_of

OPTIMIZERS = {
    "adamw": {"name": "adamw", "lr": 1e-2, "weight_decay": 1e-2, "momentum": 0.9},
    "adam": {"name": "adam", "lr": 1e-2, "weight_decay": 1e-2, "momentum": 0.9},
    "sgd": {"name": "sgd", "lr": 1e-1, "weight_decay": 1e-2, "momentum": 0.9},
    "lars": {"name": "lars", "lr": 1.0, "weight_decay": 1e-2, "clip": 1.0, "weight_decay_end": 0.1},
    "all of adamw": {"name": "adamw", "lr": 1e-2, "betas": [0.8, 0.9], "clip": 1.0, "weight_decay_end": 0.1},
    "nesterov": {"name": "sgd", "lr": 1e-1, "nesterov": True, "clip": 0.5, "weight_decay_end": 0.1},
}


class _Saves(Checkpoints):
    """Keeps every state that could be saved."""

    def __init__(self) -> None:
        self.states: list[TrainingState] = []

    def is_due(self) -> bool:
        return True

    def save(self, state: TrainingState) -> None:
        self.states.append(state)


def simclr() -> SimCLR:
    with forked(0):
        encoder = TimmEncoder("test_resnet", 12)
        method = SimCLR(encoder, hidden=16, projection=8, temperature=0.2, loss="nt_xent")
    return method.to(memory_format=torch.channels_last)  # as the stage does it


def _same(first: nn.Module, second: nn.Module) -> bool:
    left, right = first.state_dict(), second.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def _run(pretrain: Any, checkpoints: Checkpoints | None = None, **settings: Any) -> tuple[nn.Module, Any]:
    training = pretrain(simclr(), train=24, val=10, batch_size=8, **settings)
    training._checkpoints = checkpoints or Checkpoints()
    found = training.run()
    return training.method, found


def _interrupted(pretrain: Any, places: list[int], **settings: Any) -> tuple[nn.Module, Any]:
    """Run a pretraining that is stopped at some places, one after the other, each counted from where it went on."""
    state = None
    for place in places:
        checkpoints = Interrupting(place)
        checkpoints.saved = state
        with pytest.raises(Stopped):
            _run(pretrain, checkpoints, **settings)
        state = checkpoints.saved
    last = Interrupting(10**9)
    last.saved = state
    return _run(pretrain, last, **settings)


@pytest.mark.parametrize(("name", "keep"), [*((name, "best") for name in OPTIMIZERS), ("adamw", "last")])
def test_at_every_place(pretrain, name: str, keep: str) -> None:
    settings = {"duration": {"epochs": 3}, "optimizer": OPTIMIZERS[name], "keep": keep, "validate_every": 1}
    method, found = _run(pretrain, **settings)
    for place in range(8) if name == "adamw" else (1, 2, 6):  # nine steps; nothing is saved after the last
        resumed, again = _interrupted(pretrain, [place], **settings)
        assert again == found
        assert _same(method, resumed)


@pytest.mark.parametrize(
    "settings",
    [
        {"precision": "bfloat16"},
        {"duration": {"steps": 7}},
        {"duration": {"images_seen": 70}},
        {"validate_every": 2, "keep": "last"},
        {"optimizer": {**OPTIMIZERS["sgd"], "momentum": 0.0}},
    ],
)
def test_several_times(pretrain, settings: dict[str, Any]) -> None:
    method, found = _run(pretrain, **settings)
    resumed, again = _interrupted(pretrain, [0, 1, 0, 1], **settings)
    assert again == found
    assert _same(method, resumed)


def test_at_random(pretrain, request) -> None:
    """Whatever the places."""
    method, found = _run(pretrain, duration={"epochs": 4})
    rng = torch.Generator().manual_seed(0)
    for _ in range(3):
        places, left = [], 11
        while left > 0:
            place = int(torch.randint(0, left, (), generator=rng))
            places.append(place)
            left -= place + 1
        resumed, again = _interrupted(pretrain, places, duration={"epochs": 4})
        assert again == found
        assert _same(method, resumed)


def test_moments_come_back_in_the_memory_format_of_their_weights() -> None:
    """A fused optimiser reads both in the order of memory: another format would mix them up."""
    layer = nn.Conv2d(4, 6, 3).to(memory_format=torch.channels_last)
    optimizer = make_optimizer([{"params": list(layer.parameters())}], OPTIMIZERS["adamw"])
    layer(torch.ones(1, 4, 5, 5)).square().sum().backward()
    optimizer.step()
    state = {name: tensor.clone().contiguous() for name, tensor in state_of(layer, optimizer).items()}

    other = nn.Conv2d(4, 6, 3).to(memory_format=torch.channels_last)
    fresh = make_optimizer([{"params": list(other.parameters())}], OPTIMIZERS["adamw"])
    restore_state(other, fresh, state)
    for before, after in zip(layer.parameters(), other.parameters(), strict=True):
        assert torch.equal(before, after)
        for name, moment in optimizer.state[before].items():
            found = fresh.state[after][name]
            assert torch.equal(moment, found)
            assert (found.stride(), found.dtype, found.device) == (moment.stride(), moment.dtype, moment.device)


def test_buffers_that_are_in_no_state_dict_come_back_too() -> None:
    class Counts(nn.Module):
        seen: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2))
            self.register_buffer("seen", torch.zeros(3), persistent=False)

    first, second = Counts(), Counts()
    first.seen += 5
    optimizers = [make_optimizer([{"params": [m.weight]}], OPTIMIZERS["sgd"]) for m in (first, second)]
    restore_state(second, optimizers[1], state_of(first, optimizers[0]))
    assert second.seen.tolist() == [5, 5, 5]


def test_a_state_of_something_else_is_refused_and_forgotten(pretrain) -> None:
    class Wrong(Checkpoints):
        forgotten = False

        def restore(self) -> TrainingState | None:
            return TrainingState({"module.other": torch.zeros(1)}, {})

        def forget(self) -> None:
            self.forgotten = True

    wrong = Wrong()
    with pytest.raises(StageError, match="its checkpoint does not fit, and is deleted; run with --retry-failed"):
        _run(pretrain, wrong)
    assert wrong.forgotten


def test_what_can_be_saved_is_told_after_every_step_but_the_last(pretrain) -> None:
    saves = _Saves()
    _run(pretrain, saves, duration={"epochs": 3})
    assert [state.values["step"] for state in saves.states] == list(range(1, 9))
    assert [len(state.values["history"]) for state in saves.states] == [0, 0, 1, 1, 1, 2, 2, 2]
    assert all(math.isfinite(row["loss"]) for row in saves.states[-1].values["history"])
