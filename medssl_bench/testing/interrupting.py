"""Checkpoints in memory that interrupt a training once, as a preempted machine does."""

from __future__ import annotations

import json

from medssl_bench.checkpoints import Checkpoints, TrainingState
from medssl_bench.stopping import Stopped


class Interrupting(Checkpoints):
    """Saves at one step and stops there; what is restored afterwards has gone through JSON, as from a file.

    Args:
        at: which of the places where a checkpoint can be saved, from 0.
    """

    def __init__(self, at: int) -> None:
        self._left = at
        self.saved: TrainingState | None = None

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
