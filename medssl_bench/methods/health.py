"""How healthy features are: numbers that fall where all images become one point, or lie along few directions.

No single one sees both. What has collapsed to a point, but for noise, has a high participation ratio and a high rank of
centred features; what lies on a line has a high spread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.methods.collapse import LEAST_RANK, rank, spread
from medssl_bench.methods.precision import in_float32
from medssl_bench.statistics.collapse import uses_few

_POINT_SPREAD, _POINT_COSINE = 0.02, 0.995
"""Below this spread, and above this mean cosine, all images are one point."""

_FEWEST = 2
"""Images that anything can be said of."""


@torch.no_grad()
def health(features: Tensor) -> dict[str, float]:
    """Return all numbers of features (N, D), of which each image has one row.

    Returns:
        ``rankme`` (Garrido et al. 2023) and ``centred_rank`` (Roy and Vetterli 2007), ``participation``, ``spread``,
        ``uniformity`` (Wang and Isola 2020) and ``mean_cosine``.
    """
    exact = features.double() if features.device.type != "mps" else features.float()
    centred = exact - exact.mean(0)
    return {
        "rankme": float(rank(exact)),
        "centred_rank": float(rank(centred)),
        "participation": participation(centred),
        "spread": float(spread(exact)),
        "uniformity": uniformity(exact),
        "mean_cosine": mean_cosine(exact),
    }


def participation(centred: Tensor) -> float:
    """Return (sum l)^2 / sum l^2 of the eigenvalues l of the covariance; 1 where all features are equal."""
    values = torch.linalg.svdvals(centred).square()
    squares = values.square().sum()
    return float(values.sum().square() / squares) if squares > 0 else 1.0


def uniformity(features: Tensor, rows: int = 1024) -> float:
    """Return ln mean exp(-2 |a - b|^2) over the pairs of different normalised features; 0 where all are one point."""
    unit = F.normalize(features, dim=1)
    total, count = 0.0, len(unit)
    for part in unit.split(rows):  # all distances of 5,000 images at once would take 200 MB
        total += float(torch.exp(-2 * (2 - 2 * part @ unit.T).clamp(min=0)).sum())
    return math.log((total - count) / (count * (count - 1)))


def mean_cosine(features: Tensor) -> float:
    """Return the mean cosine of the pairs of different features."""
    unit = F.normalize(features, dim=1)
    count = len(unit)
    return float((unit.sum(0).square().sum() - unit.square().sum()) / (count * (count - 1)))


@torch.no_grad()
def feature_gauges(features: Tensor) -> dict[str, float]:
    """Return ``feature_spread``, ``feature_rank`` (RankMe) and ``feature_cosine`` of a batch (B, D); few take none."""
    if features.ndim != 2 or len(features) < _FEWEST:
        return {}
    with in_float32(features.device):
        plain = features.float()
        return {
            "feature_spread": float(spread(plain)),
            "feature_rank": float(rank(plain)),
            "feature_cosine": mean_cosine(plain),
        }


def collapsed(spread: float, cosine: float, rank: float, floor: float | None = None, classes: int = 0) -> str:
    """Return how features have collapsed, in a few words, or an empty string.

    Args:
        spread: of them.
        cosine: their mean cosine.
        rank: their RankMe.
        floor: that of the untrained encoder; None: it is not known.
        classes: how many classes they should tell apart; 0: it is not known.
    """
    if spread < _POINT_SPREAD and cosine > _POINT_COSINE:
        return f"to a point (spread {spread:.3f} of 1, mean cosine {cosine:.3f})"
    if rank >= max(LEAST_RANK, classes / 2) and (floor is None or not uses_few(rank, floor)):
        return ""
    untrained = "" if floor is None else f", untrained {floor:.1f}"
    return f"to few dimensions (RankMe {rank:.1f}{untrained})"


def feature_flags(last: Mapping[str, float], start: Mapping[str, float]) -> dict[str, str]:
    """Return what a reader must know of the features of a pretraining: a sentence by a code.

    Args:
        last: metrics of its last epoch, with `feature_gauges` of validation images.
        start: the same gauges before the first epoch; none where they are not known.
    """
    spread, cosine, rank = (last.get(f"val_feature_{name}") for name in ("spread", "cosine", "rank"))
    if spread is None or cosine is None or rank is None:
        return {}
    how = collapsed(spread, cosine, rank, start.get("feature_rank"))
    return {"features_collapsed": f"the encoder's features have collapsed {how}"} if how else {}
