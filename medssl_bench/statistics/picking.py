"""How large the difference of two picked arms is on test images by which they were not picked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.statistics.resampling import TIMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AT_ONCE = 2**22
"""Counts of images that are held at once."""


def difference_of_picked(
    new: NDArray[np.float64], old: NDArray[np.float64], *, higher_is_better: bool = True, times: int = TIMES
) -> float:
    """Return the mean difference of the best new arm and the best old one, on images that did not pick them.

    Test images are resampled with replacement. In each resample the best arm of both groups is picked by its mean, and
    their difference is measured on the images outside of the resample, about 37 % (Efron and Tibshirani 1993, ch. 17).

    Args:
        new: (A, N) what each of N test images adds to the metric of each arm, whose mean is the metric; N is 2 or more.
        old: (B, N) likewise, of the same images.
        higher_is_better: whether the best arm is the highest.
        times: how often to resample.
    """
    images = new.shape[1]
    random = np.random.default_rng([0, images])
    sign = 1 if higher_is_better else -1
    found: list[NDArray[np.float64]] = []
    step = max(1, _AT_ONCE // images)
    for start in range(0, times, step):
        drawn = random.multinomial(images, np.full(images, 1 / images), min(step, times - start)).astype(np.float64)
        drawn = drawn[(drawn == 0).any(1)]  # of few images, a resample may leave none out
        outside = (drawn == 0).astype(np.float64)
        outside /= outside.sum(1, keepdims=True)
        rows = np.arange(len(drawn))
        new_at, old_at = ((sign * (drawn @ arms.T)).argmax(1) for arms in (new, old))
        found.append((outside @ new.T)[rows, new_at] - (outside @ old.T)[rows, old_at])
    return float(np.concatenate(found).mean())
