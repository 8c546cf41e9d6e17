"""Principal components of features, and the test images that are shown in them (Jiang 2023, ch. 7 and App. D)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from medssl_bench.randomness import generator

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

PERPLEXITIES = (5, 10, 20, 30, 50, 100)
"""Perplexities by which a suite shows what t-SNE makes of one encoder (fig. 7.4 of [Jiang 2023])."""


def drawn_points(images: int, points: int) -> NDArray[np.int64]:
    """Return which test images are looked at: the same for every encoder and seed; all where there are fewer.

    Args:
        images: number of test images.
        points: how many are wanted.
    """
    return generator("embedding points", seed=0).permutation(images)[:points].astype(np.int64)


def wide(features: Tensor) -> NDArray[np.float64]:
    """Return features (N, D) in float64: in float32 the covariance of small changes around a large mean is rounding."""
    array: NDArray[np.float64] = features.double().numpy()
    return array


def fitted_components(train: NDArray[np.float64], wanted: int) -> Any:
    """Return scikit-learn's PCA fitted on all training features (N, D), with as many components as there can be."""
    from sklearn.decomposition import PCA

    solver = "covariance_eigh" if train.shape[0] >= train.shape[1] else "full"
    return PCA(min(wanted, *train.shape), svd_solver=solver).fit(train)


def clipped(perplexity: float, points: int) -> float:
    """Return a perplexity of t-SNE that so many points allow: it looks at three times as many neighbours of each."""
    return min(float(perplexity), max(1.0, (points - 1) / 3))
