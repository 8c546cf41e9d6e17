"""Influence values of a metric that has none of its own: what it is on resampled test images (bootstrap)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.errors import UserError
from medssl_bench.metrics.compute import compute
from medssl_bench.results.measured import Influence, Kept, kept_of, truth_of
from medssl_bench.statistics.resampling import as_values

if TYPE_CHECKING:
    from medssl_bench.datasets import Task
    from medssl_bench.metrics import Metric

TIMES = 400
"""How often is resampled."""


@lru_cache(maxsize=4096)
def resampled_influence(name: str, metric: Metric, result: Kept, task: Task, without: bytes) -> Influence | str:
    """Return a metric of one finished result over resampled test images as influence values, or why there are none.

    Results of the same test images have the same resamples, so that differences of them stay paired.

    Args:
        name: of the metric.
        metric: what it is; it is for the task.
        result: what keeps predictions.
        task: of its data set.
        without: places of test images that are left out, int64.
    """
    try:
        given, group = kept_of(result, task, without)
        measured = compute(name, metric, given).value
        number = np.arange(len(given.labels)) if group is None else np.unique(group, return_inverse=True)[1]
        images = int(number.max(initial=-1)) + 1
        if images < 2:
            return "there are fewer than two test images"
        truth = truth_of(given.labels, group)
        random = np.random.default_rng(list(truth))
        found: list[float | None] = []
        for _ in range(TIMES if measured is not None else 0):
            taken = np.repeat(
                np.arange(len(number)), np.bincount(random.integers(0, images, images), minlength=images)[number]
            )
            drawn = replace(given, labels=given.labels[taken], scores=given.scores[taken])
            found.append(compute(name, metric, drawn).value)
    except (UserError, KeyError) as error:
        return " ".join(str(error).split())
    if measured is None or any(value is None for value in found):
        return f"{name} is not defined for these test images, or for too few of them"
    return Influence(as_values(measured, np.array(found, np.float64)), truth, images, group is not None)
