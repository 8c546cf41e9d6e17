"""Balanced assignments of images to outputs: the Sinkhorn-Knopp algorithm, in the log domain."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.methods import in_float32


@torch.no_grad()
def sinkhorn(
    scores: Tensor,
    *,
    epsilon: float | Tensor = 0.05,
    iterations: int = 3,
    groups: Tensor | None = None,
    count: int = 1,
) -> Tensor:
    """Return assignments in which images weigh the same and, after enough iterations, outputs do, too.

    Each iteration divides ``exp(scores / epsilon)`` by the sum over images of each output, then by the sum over outputs
    of each image (Cuturi 2013; SwAV, Caron et al. 2020, sec. 3.1). In the log domain nothing overflows.

    Args:
        scores: (B, K) of images and outputs.
        epsilon: weight of the entropy: small ones give hard assignments. A tensor may change from step to step.
        iterations: how often; the papers' 3 leave outputs only about equal.
        groups: (B,) int64 in [0, `count`): outputs are balanced within each group, as if it were alone; None: all
            images are one.
        count: number of groups.

    Returns:
        (B, K) float32; every row sums to 1.
    """
    with in_float32(scores.device):
        log = scores.float() / epsilon
        outside = None if groups is None else _outside(groups, count)
        for _ in range(iterations):
            if outside is None or groups is None:
                log = log - log.logsumexp(dim=0, keepdim=True)
            else:
                log = log - (log + outside[:, :, None]).logsumexp(dim=1)[groups]
            log = log - log.logsumexp(dim=1, keepdim=True)
        return log.exp()


def _outside(groups: Tensor, count: int) -> Tensor:
    """Return 0 where an image is of a group and minus infinity where not, (`count`, B)."""
    own = groups == torch.arange(count, device=groups.device)[:, None]
    return torch.zeros(own.shape, device=groups.device).masked_fill(~own, -torch.inf)
