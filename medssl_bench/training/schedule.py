"""Learning-rate schedules, each a formula of the epoch (or step), so that resuming needs no state."""

from __future__ import annotations

import math
from collections.abc import Sequence


def cosine(epoch: int, *, start: float, minimum: float, period: float) -> float:
    """Return cosine annealing without restarts (Loshchilov and Hutter 2017, eq. 5).

    Args:
        epoch: 0-based. Past the period the rate climbs again, as PyTorch's ``CosineAnnealingLR`` does.
        start: the rate at epoch 0.
        minimum: the rate at epoch `period`.
        period: half a wave, in epochs.
    """
    return minimum + (start - minimum) * (1 + math.cos(math.pi * epoch / period)) / 2


def warmup(epoch: int, epochs: int) -> float:
    """Return the factor of a linear rise over the first epochs: 1 from epoch `epochs` on, above 0 at epoch 0."""
    return min(1.0, (epoch + 1) / (epochs + 1))


def multistep(epoch: int, *, start: float, milestones: Sequence[int], factor: float = 0.1) -> float:
    """Return a rate that is multiplied by `factor` at each milestone epoch."""
    return start * factor ** sum(epoch >= milestone for milestone in milestones)
