"""Metrics, means of arms and their ranks if other seeds, draws and test images had been drawn: a bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TIMES = 1000
"""How often is resampled."""

_AT_ONCE = 2**24
"""Weights of images that are held at once."""


def resampled_means(
    columns: Sequence[Sequence[NDArray[np.float64]]], times: int = TIMES, seed: int = 0
) -> list[NDArray[np.float64]]:
    """Return the means of the arms of several columns over resampled seeds, draws and test images.

    All columns are of one set of test images: each resample has the same seeds, draws and images for every column and
    arm, so that they stay paired. An arm that a seed or a draw does not vary has an axis of length 1.

    Args:
        columns: for each column and arm (S, D, N) values.
        times: how often to resample.
        seed: of the resampling; the same one gives the same numbers.

    Returns:
        For each column (times, arms).
    """
    every = [values for column in columns for values in column]
    seeds, draws, images = (max(values.shape[axis] for values in every) for axis in range(3))
    random = np.random.default_rng([seed, seeds, draws, images])
    of_seeds, of_draws = (random.multinomial(n, np.full(n, 1 / n), times) / n for n in (seeds, draws))
    found = [np.empty((times, len(column))) for column in columns]
    step = max(1, _AT_ONCE // images)
    for start in range(0, times, step):
        part = slice(start, min(times, start + step))
        of_images = random.multinomial(images, np.full(images, 1 / images), part.stop - part.start) / images
        for column, means in zip(columns, found, strict=True):
            for arm, values in enumerate(column):
                by_run = (values.reshape(-1, images) @ of_images.T).reshape(*values.shape[:2], -1)
                by_draw = np.einsum("sdb,bs->db", by_run, of_seeds[part]) if len(by_run) > 1 else by_run[0]
                whole = np.einsum("db,bd->b", by_draw, of_draws[part]) if len(by_draw) > 1 else by_draw[0]
                means[part, arm] = whole
    return found


def as_values(measured: float, resampled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a metric is over resampled test images as values that `estimate` takes.

    With m what was measured, a_t the metric of resample t of T, and a their mean, they are m + sqrt(T) (a_t - a). Their
    mean is m, and their variance divided by T is the bootstrap's variance of the metric. Deviations are from the mean
    of the resamples: a metric that is biased on few images is more so on a resample, which has fewer different ones.

    Args:
        measured: the metric of the test images.
        resampled: (T,) of each resample. Results of the same test images need the same resamples, so that differences
            of their values stay paired.
    """
    found: NDArray[np.float64] = measured + np.sqrt(len(resampled)) * (resampled - resampled.mean())
    return found


def ranks(means: NDArray[np.float64], *, higher_is_better: bool = True) -> NDArray[np.float64]:
    """Return the ranks of (times, arms) means, 1 the best; equal ones share the mean of theirs."""
    turned = means if higher_is_better else -means
    mine, others = turned[:, :, None], turned[:, None, :]
    found: NDArray[np.float64] = 0.5 + (others > mine).sum(2) + (others == mine).sum(2) / 2
    return found
