"""NT-Xent, the normalised temperature-scaled cross-entropy of SimCLR (Chen et al. 2020, eq. 1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.methods.precision import in_float32


def nt_xent(first: Tensor, second: Tensor, temperature: float, group: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the loss and the similarities that it is made of.

    Each of the 2N projections must find the other view of its image among the 2N - 1 others. The value is that of
    lightly's ``NTXentLoss``; this one masks the diagonal instead of indexing by it, so it does not synchronise the
    device. Everything is float32, also under autocast, which would round similarities to steps of 1/256: at a
    temperature of 0.07 that is 0.06 in the logits, and neighbours would tie.

    Args:
        first: (N, D) projections of the first views, not normalised.
        second: (N, D) projections of the second views, row by row of the same images.
        temperature: what the cosine similarities are divided by, above 0.
        group: (N,) integers; other images of the same group (of one patient, say) are no negatives. None: all are.

    Returns:
        The mean loss, a scalar, and the logits (2N, 2N) with -inf on the diagonal and where a column is no candidate.
    """
    with in_float32(first.device):
        projections = F.normalize(torch.cat([first, second]).float(), dim=1)
        logits = projections @ projections.T / temperature
        left_out = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        if group is not None:
            whose, image = group.repeat(2), torch.arange(len(group), device=group.device).repeat(2)
            left_out |= (whose[:, None] == whose) & (image[:, None] != image)
        logits = logits.masked_fill(left_out, float("-inf"))
        return F.cross_entropy(logits, positives(logits)), logits


def positives(logits: Tensor) -> Tensor:
    """Return the column of each row's positive, (2N,) int64."""
    size = len(logits)
    return torch.arange(size, device=logits.device).roll(size // 2)


def contrastive_accuracy(logits: Tensor, top: int) -> Tensor:
    """Return how often the positive is among the `top` nearest of the 2N - 1 others, a scalar in [0, 1].

    Others that are as near as the positive count as nearer, so projections that all collapse to one find nothing, nor
    do those that are no numbers.

    Args:
        logits: (2N, 2N) from `nt_xent`.
        top: 1 or more.
    """
    positive = logits.gather(1, positives(logits)[:, None])
    nearer = (~(logits < positive)).sum(dim=1) - 1  # the positive itself; what is not a number is nearer, too
    return (nearer < top).float().mean()
