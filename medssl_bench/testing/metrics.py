"""The contract of metrics: on predictions of every task that they are for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets import Task
from medssl_bench.errors import PluginError
from medssl_bench.metrics import Finished, Metric, Predictions
from medssl_bench.metrics.compute import Measured, compute
from medssl_bench.metrics.find import wrong_with
from medssl_bench.testing.checking import Group, require, untouched_generators

_IMAGES, _CLOSE = 240, 1e-6
_LIKE = 0.1
"""How far a standard deviation of influence values may be off that of a jackknife, which is not exact either."""


def metric_steps(name: str, build: Callable[[], Metric]) -> list[Group]:
    """Return the steps for a metric.

    Args:
        name: of the metric.
        build: makes it.

    Raises:
        Failed: what it makes is no metric.
    """
    metric = build()
    require(isinstance(metric, Metric), f"the factory gives {type(metric).__name__}, not a Metric")
    wrong = wrong_with(metric)
    require(not wrong, wrong)
    if metric.reads == "record":
        return [[("a record of a result", partial(_reads_record, name, metric))]]
    return [
        [(f"{task}: finite and in its range", partial(_in_range, name, metric, task)) for task in metric.tasks],
        [
            *(
                (f"{task}: a perfect prediction is best", partial(_perfect, name, metric, task))
                for task in metric.tasks
            ),
            ("the order of the images changes nothing", partial(_permuted, name, metric)),
            *(
                [("the mean of its influence values is the metric", partial(_influences, name, metric))]
                if metric.influence
                else []
            ),
            ("predictions and labels are left as they are", partial(_keeps, name, metric)),
            ("global random state is untouched", partial(_untouched, name, metric)),
        ],
    ]


def predictions(task: Task, *, seed: int = 0, skill: float = 1.0) -> Predictions:
    """Return made-up predictions of unbalanced classes, of test and of validation images.

    Args:
        task: what the labels mean.
        seed: of labels and scores.
        skill: how much the scores say of the labels; 0: nothing, infinity: all.
    """
    test, val = (_made(task, np.random.default_rng([seed, split]), skill) for split in range(2))
    return Predictions(task, *test, *val)


def _made(task: Task, rng: np.random.Generator, skill: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return labels and scores."""
    if task is Task.MULTI_LABEL:
        labels = (rng.random((_IMAGES, 3)) < [0.2, 0.5, 0.8]).astype(np.int64)
        truth = labels.astype(np.float64)
        made = 1 / (1 + np.exp(-(np.minimum(skill, 9) * (2 * truth - 1) + rng.normal(size=truth.shape))))
    else:
        classes = 2 if task is Task.BINARY else 4
        labels = rng.choice(classes, (_IMAGES, 1), p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
        truth = np.eye(classes)[labels[:, 0]]
        raised = np.exp(np.minimum(skill, 9) * truth + rng.normal(size=truth.shape))
        made = raised / raised.sum(axis=1, keepdims=True)
    return labels.astype(np.int64), (truth if np.isinf(skill) else made).astype(np.float32)


def _value(name: str, metric: Metric, given: Predictions) -> Measured:
    found = compute(name, metric, given)
    require(found.value is not None, "it gives None for predictions of every class; give a number")
    if metric.per_class:
        classes = given.scores.shape[1]
        require(len(found.classes) == classes, f"it gives {len(found.classes)} values for {classes} classes")
    return found


def _in_range(name: str, metric: Metric, task: Task) -> str:
    values = [_value(name, metric, predictions(task, seed=seed, skill=seed)).value for seed in range(3)]
    return ", ".join(f"{value:.4g}" for value in values)


def _perfect(name: str, metric: Metric, task: Task) -> str:
    perfect = _value(name, metric, predictions(task, skill=np.inf)).value
    assert perfect is not None
    for skill in (0.0, 1.0, 3.0):
        other = _value(name, metric, predictions(task, skill=skill)).value
        assert other is not None
        ahead = perfect - other if metric.higher_is_better else other - perfect
        require(
            ahead >= -_CLOSE,
            f"a perfect prediction has {perfect:.4g}, one with errors {other:.4g}: is "
            f"higher_is_better = {metric.higher_is_better} right?",
        )
    if np.isfinite(metric.best):
        require(
            abs(perfect - metric.best) <= _CLOSE * max(1, abs(metric.best)),
            f"a perfect prediction has {perfect:.4g}, but the best value of its range is {metric.best:g}",
        )
    return f"{perfect:.4g}"


def _permuted(name: str, metric: Metric) -> str:
    for task in metric.tasks:
        given = predictions(task)
        order = np.random.default_rng(1).permutation(_IMAGES)
        turned = replace(given, labels=given.labels[order], scores=given.scores[order])
        one, other = (_value(name, metric, each).value for each in (given, turned))
        assert one is not None
        assert other is not None
        same = abs(one - other) <= _CLOSE * max(1, abs(one))
        require(same, f"it is {one} or {other}, as the images are ordered ({task})")
    return "yes"


def _influences(name: str, metric: Metric) -> str:
    """Check the influence values: their mean, and their variance against a jackknife, which leaves out an image."""
    assert metric.influence is not None
    for task in metric.tasks:
        given = predictions(task)
        values = np.asarray(metric.influence(given))
        require(values.shape == (_IMAGES,), f"they have shape {values.shape}, not ({_IMAGES},), for {task} data")
        whole = _value(name, metric, given).value
        assert whole is not None
        close = abs(float(values.mean()) - whole) <= _CLOSE * max(1, abs(whole))
        require(close, f"their mean is {values.mean():.6g}, the metric {whole:.6g} ({task})")
        without = []
        for image in range(_IMAGES):
            kept = np.arange(_IMAGES) != image
            part = replace(given, labels=given.labels[kept], scores=given.scores[kept])
            without.append(_value(name, metric, part).value or 0.0)
        wanted, found = (_IMAGES - 1) * float(np.std(without)), float(values.std())
        require(
            abs(found - wanted) <= _LIKE * wanted + _CLOSE,
            f"their standard deviation is {found:.4g}; leaving out images one by one gives {wanted:.4g} ({task})",
        )
    return "yes"


def _keeps(name: str, metric: Metric) -> str:
    given = predictions(metric.tasks[0])
    labels, scores = given.labels.copy(), given.scores.copy()
    _value(name, metric, given)
    same = np.array_equal(labels, given.labels) and np.array_equal(scores, given.scores)
    require(same, "it changes the labels or the scores that it is given")
    return "yes"


def _untouched(name: str, metric: Metric) -> str:
    with untouched_generators():
        _value(name, metric, predictions(metric.tasks[0]))
    return "yes"


def _reads_record(name: str, metric: Metric) -> str:
    """Check what it makes of a record: of an evaluation with epochs, and of one without."""
    cost = {"wall_seconds": 12.5, "processor_seconds": 20.5, "images_seen": 4000, "peak_memory_bytes": 2**28}
    metrics = {"accuracy": 0.8, "auroc": 0.9, "balanced_accuracy": 0.7, "labelled": 100, "labelled_validation": 50}
    history = [{"epoch": epoch, "loss": 1 / (1 + epoch), "val_accuracy": 0.7} for epoch in range(3)]
    told = []
    for rows in (history, []):
        try:
            found = compute(name, metric, Finished(MappingProxyType(metrics), MappingProxyType(cost), rows))
        except PluginError as error:
            require(False, str(error))
        told.append("not defined" if found.value is None else f"{found.value:.4g}")
    return f"{told[0]}; without epochs: {told[1]}"
