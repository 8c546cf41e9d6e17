"""Crops of two sizes of an image, as SwAV, DINO and iBOT compare them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch
from torch import Tensor, nn

from medssl_bench.methods import View
from medssl_bench_methods.work import small_side

Shares = tuple[float, float]


def crops(
    size: int, *, crop: Shares | None, local_views: int, local_size: int | None, local_crop: Shares
) -> tuple[View, ...]:
    """Return two large views and some small ones.

    Args:
        size: side of the recipe's views in pixels.
        crop: least and largest part of the image's area in a large view; None: the augmentation's own.
        local_views: number of small views.
        local_size: their side in pixels, or None, as of `small_side`.
        local_crop: as `crop`, of the small views.
    """
    small = View(size=small_side(size, local_size), crop=local_crop)
    return (View(crop=crop),) * 2 + (small,) * local_views


def features_of(encoder: nn.Module, views: Sequence[Tensor]) -> Tensor:
    """Return the features of views, one pass for all neighbours of one size.

    Batch normalisation thus sees the views of one size together, as in the papers' code.

    Args:
        encoder: images to features (B, D).
        views: (B, 3, H, W) each.

    Returns:
        (views times B, D), the views one after the other.
    """
    return torch.cat([encoder(torch.cat(list(alike))) for _, alike in groupby(views, key=lambda view: view.shape)])


def swapped_cross_entropy(wanted: Tensor, log_found: Tensor) -> Tensor:
    """Return the mean cross-entropy over pairs of different views: what one view gives is predicted from another.

    Args:
        wanted: (W, B, K) probabilities that the first W views should give.
        log_found: (V, B, K) log-probabilities that all V views give, the same W first.
    """
    views = len(log_found)
    of_all = log_found.sum(dim=0)
    terms = [-(target * (of_all - own)).sum(dim=1).mean() for target, own in zip(wanted, log_found, strict=False)]
    return torch.stack(terms).mean() / (views - 1)
