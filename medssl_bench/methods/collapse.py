"""Whether representations may have collapsed: gauges that every method reports under the same names, and a warning."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.methods.precision import in_float32

_LEAST_SPREAD = 0.1
"""Ours: most methods have 0.2 to 1, and those that collapse end below 0.02."""

LEAST_RANK = 2.0
"""Ours: one direction has rank 1."""


@torch.no_grad()
def gauges(first: Tensor, second: Tensor | None = None, *, training: bool) -> dict[str, Tensor]:
    """Return the gauges of a batch, each a scalar without gradient.

    Args:
        first: (B, D) representations of the images by which the method compares them, not normalised.
        second: (B, D) those of the other view, row by row of the same images; None: the method has one view.
        training: without it ``rank`` and ``alignment`` are measured, too: singular values would wait for the device.

    Returns:
        ``spread``, ``rank`` (validation only), ``agreement`` (two views only) and ``alignment`` (both only).
    """
    first = first.detach()
    found = {"spread": spread(first)}
    if second is not None:
        found["agreement"] = agreement(first, second.detach())
    if not training:
        found["rank"] = rank(first)
        if second is not None:
            found["alignment"] = alignment(first, second)
    return found


@torch.no_grad()
def spread(representations: Tensor) -> Tensor:
    """Return how far representations point into different directions: 1 evenly into all, 0 collapsed to one.

    It is the mean over dimensions of the standard deviation of the normalised representations, times the square root of
    their length (Chen and He 2021, sec. 4.1).

    Args:
        representations: (B, D).
    """
    unit = F.normalize(representations.float(), dim=1)
    return unit.std(dim=0, correction=0).mean() * unit.shape[1] ** 0.5


@torch.no_grad()
def rank(representations: Tensor) -> Tensor:
    """Return the effective rank: exp of the entropy of the normalised singular values (RankMe, Garrido et al. 2023).

    Args:
        representations: (B, D); the rank is between 1 and the smaller of the two. In double precision if they are.
    """
    exact = representations if representations.dtype is torch.float64 else representations.float()
    with in_float32(representations.device):
        values = torch.linalg.svdvals(exact)
    shares = values / values.sum().clamp(min=1e-12)
    return torch.exp(-(shares * shares.clamp(min=1e-12).log()).sum())


@torch.no_grad()
def agreement(first: Tensor, second: Tensor) -> Tensor:
    """Return how often the other view of an image is the nearest of the batch's second views, in [0, 1].

    Others that are as near count as nearer, so what collapses to one finds nothing.

    Args:
        first: (B, D) of the first views.
        second: (B, D) of the second views, row by row of the same images.
    """
    with in_float32(first.device):
        similarity = F.normalize(first.float(), dim=1) @ F.normalize(second.float(), dim=1).T
    positive = similarity.diagonal()[:, None]
    nearer = (~(similarity < positive)).sum(dim=1) - 1  # the positive itself
    return (nearer < 1).float().mean()


@torch.no_grad()
def alignment(first: Tensor, second: Tensor) -> Tensor:
    """Return the mean squared distance of the two views of an image, normalised (Wang and Isola 2020, eq. 1, a = 2).

    It is between 0, both views are one point, and 4. What has collapsed to one point is 0, too: `spread` tells.

    Args:
        first: (B, D) of the first views.
        second: (B, D) of the second views, row by row of the same images.
    """
    apart = F.normalize(first.float(), dim=1) - F.normalize(second.detach().float(), dim=1)
    return apart.square().sum(dim=1).mean()


def collapse_flags(last: Mapping[str, float]) -> dict[str, str]:
    """Return what a reader must know of a pretraining before its encoder is believed: a sentence by a code.

    It is a warning, not a verdict: heads may give all images much the same, and features below them still differ. A
    probe beside the untrained encoder decides.

    Args:
        last: metrics of its last epoch; ``spread`` and ``rank`` are those of `gauges`. Those of validation images
            count first. Without these gauges nothing is known, and nothing is said.
    """
    spread, rank = (last.get(f"val_{name}", last.get(name)) for name in ("spread", "rank"))
    if spread is not None and spread < _LEAST_SPREAD:
        return {"collapse": f"the pretraining may have collapsed: its projections hardly differ (spread {spread:.3f})"}
    if rank is not None and rank < LEAST_RANK:
        return {"collapse": f"the pretraining may have collapsed: its projections are on one line (rank {rank:.1f})"}
    return {}
