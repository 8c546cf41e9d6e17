"""How long a pretraining is, in batches, steps and epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Length:
    """How long a pretraining is.

    Attributes:
        batch: images of a batch; the last, incomplete batch of an epoch is dropped.
        steps_per_epoch: batches of an epoch.
        steps: optimiser steps in all.
        unit: what the duration and the schedule are given in: ``epochs``, ``steps`` or ``images_seen``.
    """

    batch: int
    steps_per_epoch: int
    steps: int
    unit: str

    @classmethod
    def of(cls, duration: Mapping[str, int], images: int, batch_size: int) -> Length:
        """Return the length of a duration given as ``epochs``, ``steps`` or ``images_seen``."""
        batch = min(batch_size, images)
        per_epoch = images // batch
        if "epochs" in duration:
            return cls(batch, per_epoch, duration["epochs"] * per_epoch, "epochs")
        if "steps" in duration:
            return cls(batch, per_epoch, duration["steps"], "steps")
        return cls(batch, per_epoch, max(1, round(duration["images_seen"] / batch)), "images_seen")

    @property
    def epochs(self) -> int:
        """Epochs begun."""
        return math.ceil(self.steps / self.steps_per_epoch)

    def place(self, step: int) -> int:
        """Return the place of a step in the unit of the duration: within an epoch the learning rate stays."""
        if self.unit == "epochs":
            return step // self.steps_per_epoch
        return step if self.unit == "steps" else step * self.batch
