"""Checkpoints in memory that interrupt a training, as a preempted machine does, and whether it then ends the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from medssl_bench.checkpoints import Checkpoints, TrainingState
from medssl_bench.stopping import Stopped
from medssl_bench.testing.checking import Failed, require

_Result = TypeVar("_Result")
Train = Callable[[Checkpoints], Mapping[str, Tensor]]
"""Trains with checkpoints, and returns the state at the end."""

_ONCE = {"within its first epoch": 1, "between epochs": 2, "within its second epoch": 4}
"""Places of one interruption in a training of two epochs with three steps each."""

_ALL = [1, 0, 1]
"""These places in one training: each is counted from where it went on."""


class Interrupting(Checkpoints):
    """Saves at one step and stops there; what is restored afterwards has gone through JSON, as from a file.

    Args:
        at: which of the places where a checkpoint can be saved, from 0; -1: at none.
        saved: what was saved before; None: nothing.
    """

    def __init__(self, at: int, saved: TrainingState | None = None) -> None:
        self._left = at
        self.saved = saved

    def restore(self) -> TrainingState | None:
        """Return what was saved, or None."""
        return self.saved

    def is_due(self) -> bool:
        """Return whether this is the place."""
        self._left -= 1
        return self._left == -1

    def save(self, state: TrainingState) -> None:
        """Keep a copy, and stop.

        Raises:
            Stopped: always.
        """
        tensors = {name: tensor.detach().clone().contiguous() for name, tensor in state.tensors.items()}
        self.saved = TrainingState(tensors, json.loads(json.dumps(dict(state.values))))
        raise Stopped


def goes_on(train: Train, whole: Mapping[str, Tensor]) -> str:
    """Check that a training that is interrupted ends as one that is not.

    It is interrupted at all places in one training; if that ends as another, at each place alone, to say which it is.

    Args:
        train: of two epochs with three steps each.
        whole: the state at the end of a training that is not interrupted.

    Raises:
        Failed: it ends as another.
    """
    several = _different(whole, interrupted(train, _ALL)[0])
    if not several:
        return "to the bit"
    for where, place in _ONCE.items():
        name = _different(whole, interrupted(train, [place])[0])
        require(not name, _told(name, where))
    raise Failed(_told(several, "several times"))


def _told(name: str, where: str) -> str:
    return (
        f"{name} ends as another if the training is interrupted {where}; keep all state in parameters and "
        "buffers, and draw from torch's global generator, which is seeded again at every step"
    )


def interrupted(train: Callable[[Checkpoints], _Result], places: Sequence[int]) -> tuple[_Result, int]:
    """Interrupt a training at some places, each counted from where it went on.

    Returns:
        What it gives at its end, and how often it was interrupted: less often if it has no further place.
    """
    saved = None
    for number, place in enumerate(places):
        interrupting = Interrupting(place, saved)
        try:
            return train(interrupting), number
        except Stopped:
            saved = interrupting.saved
    return train(Interrupting(-1, saved)), len(places)


def _different(whole: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> str:
    """Return the name of the first tensor that is another, or an empty string."""
    return next((name for name, value in whole.items() if not torch.equal(value, other[name])), "")
