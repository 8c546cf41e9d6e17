"""Whether what claims that its steps can be recorded holds to it: they are played back, and compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from medssl_bench.testing.checking import Failed, require
from medssl_bench.testing.tape import Tape
from medssl_bench.training.recording import Recorder
from medssl_bench.training.steps import NotRecorded

PLAYS_BACK = "a step that is recorded once plays back as it is done by hand"
"""What is checked, in words."""


def plays_back(train: Callable[[Recorder | None], Mapping[str, Tensor]], *, claimed: bool) -> str:
    """Return what was found.

    Args:
        train: trains for more steps than are done before one is recorded, with a recorder or none, and returns the
            state at the end; learning rates must be the same number in float32 and float64.
        claimed: whether it is claimed that they can be recorded.

    Raises:
        Failed: it is claimed, and not so.
    """
    if not claimed:
        return "not claimed: on CUDA it is slower than it could be"
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotRecorded)
        try:
            by_hand, played = train(None), train(Tape())
        except NotRecorded as warning:
            raise Failed(f"{warning}; do not claim recordable, or see what it promises") from warning
    for name, value in by_hand.items():
        require(
            torch.equal(value, played[name]),
            f"{name} ends as another if steps are recorded; keep what changes from step to step in buffers, change "
            "them in place, and depend on nothing else, not on progress either; or do not claim recordable",
        )
    return "to the bit"
