"""What a training needs of checkpoints: where it stands, and a place that keeps that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor


@dataclass(frozen=True)
class TrainingState:
    """Where a training stands.

    Attributes:
        tensors: weights, buffers and the optimiser's moments, by name.
        values: everything else, such as the step; JSON-able.
    """

    tensors: Mapping[str, Tensor]
    values: Mapping[str, Any] = field(default_factory=dict)


class Checkpoints:
    """The checkpoint of one stage; a training restores it, and saves a new one whenever it is due.

    This one keeps nothing: it is what a training gets outside a run.
    """

    def restore(self) -> TrainingState | None:
        """Return the state that was saved last, or None."""
        return None

    def is_due(self) -> bool:
        """Return whether a checkpoint should be saved now; ask after every step."""
        return False

    def save(self, state: TrainingState) -> None:
        """Save a state."""

    def forget(self) -> None:
        """Delete what was saved: the stage starts again."""
