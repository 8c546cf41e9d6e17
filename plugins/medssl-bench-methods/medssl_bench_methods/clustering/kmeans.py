"""k-means on the device of the points: Lloyd's algorithm from k-means++ starts, without empty clusters."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


@torch.no_grad()
def kmeans(
    points: Tensor, count: int, *, iterations: int = 10, spherical: bool = False, start: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return the centres of clusters and the cluster of each point.

    A cluster that loses all its points gets the farthest point of the largest one.

    Args:
        points: (N, D) float32; N is at least `count`.
        count: number of clusters.
        iterations: of Lloyd's algorithm.
        spherical: centres are unit vectors, as the points must be, and the nearest is that of the largest cosine.
        start: (`count`, D) first centres; None: of k-means++ (Arthur and Vassilvitskii 2007), drawn from torch's global
            generator.

    Returns:
        (`count`, D) centres, and (N,) int64 clusters, each in [0, `count`).
    """
    centers = _plus_plus(points, count) if start is None else start
    for _ in range(iterations):
        assigned = _filled(points, centers, nearest(points, centers))
        members = F.one_hot(assigned, count).to(
            points.dtype
        )  # sums as products are the same in every run, on a GPU too
        centers = members.T @ points / members.sum(dim=0)[:, None]
        if spherical:
            centers = F.normalize(centers, dim=1)
    return centers, _filled(points, centers, nearest(points, centers))


@torch.no_grad()
def nearest(points: Tensor, centers: Tensor) -> Tensor:
    """Return the nearest centre of each point, (N,) int64.

    Args:
        points: (N, D) float32.
        centers: (K, D) float32.
    """
    return (centers.square().sum(dim=1) / 2 - points @ centers.T).argmin(dim=1)


def _plus_plus(points: Tensor, count: int) -> Tensor:
    """Return points as first centres: each drawn by its squared distance to the nearest of those before."""
    first = int(torch.randint(len(points), ()))
    chosen = [points[first]]
    distance = (points - chosen[0]).square().sum(dim=1)
    for _ in range(count - 1):
        cumulated = distance.double().cumsum(dim=0)
        drawn = torch.rand((), dtype=torch.float64).to(points.device) * cumulated[-1]
        place = torch.searchsorted(cumulated, drawn).clamp(max=len(points) - 1)
        chosen.append(points[place])
        distance = torch.minimum(distance, (points - chosen[-1]).square().sum(dim=1))
    return torch.stack(chosen)


def _filled(points: Tensor, centers: Tensor, assigned: Tensor) -> Tensor:
    """Return assignments in which no cluster is empty."""
    count = len(centers)
    sizes = torch.bincount(assigned, minlength=count)
    for empty in (sizes == 0).nonzero()[:, 0].tolist():
        largest = sizes.argmax()
        distance = (points - centers[largest]).square().sum(dim=1).masked_fill(assigned != largest, -1)
        assigned[distance.argmax()] = empty
        sizes = torch.bincount(assigned, minlength=count)
    return assigned


@torch.no_grad()
def agreement_of(first: Tensor, second: Tensor, count: int) -> Tensor:
    """Return the normalised mutual information of two clusterings: 1 the same up to the names, 0 independent.

    It is divided by the mean of the two entropies (Caron et al. 2018, sec. 4.1; scikit-learn's arithmetic average).

    Args:
        first: (N,) int64 in [0, `count`).
        second: likewise, of the same points.
        count: number of clusters.
    """
    table = torch.bincount(first * count + second, minlength=count**2).view(count, count).double() / len(first)
    rows, columns = table.sum(dim=1), table.sum(dim=0)
    ratio = table / (rows[:, None] * columns).clamp(min=1e-30)
    mutual = (table * ratio.clamp(min=1e-30).log()).sum()
    marginal = torch.stack([rows.flatten(), columns])
    entropies = -(marginal * marginal.clamp(min=1e-30).log()).sum()
    return (mutual / (entropies / 2).clamp(min=1e-12)).float()
