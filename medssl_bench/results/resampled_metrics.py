"""A metric of one finished result over resampled test images."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.errors import UserError
from medssl_bench.metrics.compute import compute
from medssl_bench.results.measured import Kept, kept_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets import Task
    from medssl_bench.metrics import Metric

TIMES = 400
"""How often is resampled."""


@dataclass(frozen=True)
class Resamples:
    """A metric over resampled test images.

    Attributes:
        values: (1 + TIMES,) what was measured, and then of each resample. Results of the same images have the same.
        truth: digest of the images: results of the same test images have the same.
        images: how many there are, or how many groups.
        groups: whether these are groups.
    """

    values: NDArray[np.float64]
    truth: bytes
    images: int
    groups: bool = False


@lru_cache(maxsize=4096)
def resamples_of(name: str, metric: Metric, result: Kept, task: Task, without: bytes) -> Resamples | str:
    """Return a metric of one finished result over resamples, or why there are none.

    Args:
        name: of the metric.
        metric: what it is; it is for the task.
        result: what keeps predictions.
        task: of its data set.
        without: places of test images that are left out, int64.
    """
    try:
        given, group = kept_of(result, task, without)
        values = [compute(name, metric, given).value]
        number = np.arange(len(given.labels)) if group is None else np.unique(group, return_inverse=True)[1]
        images = int(number.max(initial=-1)) + 1
        if images < 2:
            return "there are fewer than two test images"
        digest = hashlib.sha256(given.labels.tobytes() + (b"" if group is None else group.tobytes())).digest()
        random = np.random.default_rng(list(digest))
        for _ in range(TIMES if values[0] is not None else 0):
            taken = np.repeat(
                np.arange(len(number)), np.bincount(random.integers(0, images, images), minlength=images)[number]
            )
            drawn = replace(given, labels=given.labels[taken], scores=given.scores[taken])
            values.append(compute(name, metric, drawn).value)
    except (UserError, KeyError) as error:
        return " ".join(str(error).split())
    if any(value is None for value in values):
        return f"{name} is not defined for these test images, or for too few of them"
    return Resamples(np.array(values, np.float64), digest, images, group is not None)
