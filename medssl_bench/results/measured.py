"""Computes what records do not have: a plugin's metric, from the predictions and records that evaluations keep.

So a metric that is added later needs no training again, and is no part of any key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from medssl_bench.errors import UserError
from medssl_bench.metrics import Finished, NotDefined, Predictions
from medssl_bench.metrics.builtin import RECORDED
from medssl_bench.metrics.compute import Measured, compute
from medssl_bench.store.arrays import load_history, load_npz

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets import Task
    from medssl_bench.metrics import Metric
    from medssl_bench.plan.class_map import ClassMap
    from medssl_bench.store.record import Record
    from medssl_bench.store.store import Store


@dataclass(frozen=True)
class Column:
    """A value of a column, or why there is none.

    Attributes:
        found: what was measured.
        problem: why it could not be measured, in one line, or an empty string.
    """

    found: Measured = field(default_factory=lambda: Measured(None))
    problem: str = ""


NO_PLACES = np.empty(0, np.int64)


def column(
    name: str, metric: Metric, record: Record, store: Store, task: Task | None, without: NDArray[np.int64] = NO_PLACES
) -> Column:
    """Return the value of a column for one finished result.

    Args:
        name: of the metric.
        metric: what it is.
        record: of the result.
        store: where its files are.
        task: of its data set; None where the data set cannot be seen.
        without: places of test images that are left out; the value is then computed from the scores that were kept.
    """
    if name in RECORDED and not len(without):
        return Column(Measured(_number(record.metrics.get(name))))
    if metric.measure is None:
        if len(without):
            return Column(problem="its evaluator measured it on all images; it cannot be computed without some of them")
        return _own(name, metric, record)
    if task is None:
        return Column(problem="the data set cannot be seen, so its task is not known")
    if task not in metric.tasks:
        return Column(problem=f"it is not defined for {task} data")
    return _computed(name, metric, Kept(record, store), task, without.tobytes())


@dataclass(frozen=True)
class Kept:
    """A finished result; two are equal where they are the same attempt at the same stage of the same store."""

    record: Record
    store: Store

    def __hash__(self) -> int:
        return hash(self._identity)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kept) and self._identity == other._identity

    @property
    def _identity(self) -> tuple[str, ...]:
        digests = (str(about["sha256"]) for about in self.record.files.values())
        return (str(self.store.path), self.record.key, *digests)


@dataclass(frozen=True)
class Influence:
    """Influence values of one finished result.

    Attributes:
        values: (N,) one for each test image, for each group of them, or for each resample; their mean is the metric.
        truth: digest of what they are of: results of the same test images have the same.
        images: number of test images, or of groups.
        groups: whether these are groups.
    """

    values: NDArray[np.float64]
    truth: bytes
    images: int
    groups: bool = False


def influence_of(
    name: str, metric: Metric | None, record: Record, store: Store, task: Task | None, without: NDArray[np.int64]
) -> Influence | str:
    """Return the influence values of a metric for one finished result, or why there are none.

    Where the test images are of groups, such as patients, the values of a group's images are put together: they say
    the same thing more than once.

    Args:
        name: of the metric.
        metric: what it is; None: a number that records have.
        record: of the result.
        store: where its files are.
        task: of its data set; None where the data set cannot be seen.
        without: places of test images that are left out.
    """
    if metric is None or metric.influence is None:
        return f"{name} has no influence values"
    if task is None:
        return "the data set cannot be seen, so its task is not known"
    if task not in metric.tasks:
        return f"it is not defined for {task} data"
    return _influence(name, metric, Kept(record, store), task, without.tobytes())


def measured_of_some(name: str, metric: Metric, record: Record, store: Store, task: Task, classes: ClassMap) -> Column:
    """Return a metric of the test images of some classes alone, by scores of these alone.

    Args:
        name: of the metric.
        metric: what it is; it reads predictions.
        record: of a finished evaluation.
        store: where its files are.
        task: of its data set.
        classes: which, as classes of its data set.
    """
    try:
        kept, _ = kept_of(Kept(record, store), task, b"")
        chosen = classes.here.images(task, kept.labels)
        if not len(chosen):
            return Column(problem="no test image is of a shared class")
        labels = classes.here.labels(task, kept.labels[chosen])
        scores = classes.scores(task, kept.scores[chosen])
        measured = compute(name, metric, Predictions(task, labels, scores))
        return Column(measured, measured.why)
    except (UserError, KeyError) as error:
        return Column(problem=" ".join(str(error).split()).removeprefix(f"metric {name!r}: "))


@lru_cache(maxsize=512)
def _influence(name: str, metric: Metric, result: Kept, task: Task, without: bytes) -> Influence | str:
    assert metric.influence is not None
    try:
        kept, group = kept_of(result, task, without)
    except (UserError, KeyError) as error:
        return " ".join(str(error).split())
    if len(kept.labels) < 2:
        return "there are fewer than two test images"
    if metric.needs_validation and kept.val_scores is None:
        return f"{name} is missing"
    try:
        values = metric.influence(kept)
    except NotDefined:
        return f"{name} is not defined for these images"
    except Exception as error:  # noqa: BLE001 - a plugin's function; a table without an interval is still a table
        return f"its influence values cannot be computed: {type(error).__name__}: {' '.join(str(error).split())}"
    if values is None:
        return f"{name} is not defined for these test images"
    return influence_values(name, np.asarray(values, np.float64), kept.labels, group)


def influence_values(
    name: str, values: NDArray[np.float64], truth: NDArray[np.int64], group: NDArray[np.int64] | None
) -> Influence | str:
    """Return values of test images as influence values, or why they are none.

    Args:
        name: of the metric.
        values: (N,) one for each image.
        truth: (N, L) what is true of the images.
        group: (N,) group of each, or None.
    """
    if values.shape != (len(truth),) or not np.isfinite(values).all():
        return f"{name} gives influence values of shape {values.shape}, which are not {len(truth)} finite numbers"
    if group is not None:
        _, of_group = np.unique(group, return_inverse=True)
        values = np.bincount(of_group, values) * (of_group.max() + 1) / len(values)
    if len(values) < 2:
        return "there are fewer than two groups of test images"
    return Influence(values, truth_of(truth, group), len(values), group is not None)


def truth_of(labels: NDArray[np.int64], group: NDArray[np.int64] | None) -> bytes:
    """Return a digest of what is true of test images, and of their groups: results of the same images have the same."""
    return hashlib.sha256(labels.tobytes() + (b"" if group is None else group.tobytes())).digest()


@lru_cache(maxsize=50_000)
def _computed(name: str, metric: Metric, result: Kept, task: Task, without: bytes) -> Column:
    """Compute a metric; a leaderboard that is drawn again and again does it once.

    `without` has the places of the test images that are left out, int64.
    """
    record, store = result.record, result.store
    try:
        if metric.reads == "record":
            has_history = "history.json" in record.files
            history = load_history(store.checked(record.key, "history.json")) if has_history else []
            return Column(compute(name, metric, Finished(record.metrics, record.cost, history)))
        kept, _ = kept_of(result, task, without)
        if not len(kept.labels):
            return Column(problem="every test image is a copy of an image of another part; none is left")
        measured = compute(name, metric, kept)
        return Column(measured, measured.why)
    except (UserError, KeyError) as error:
        return Column(problem=" ".join(str(error).split()).removeprefix(f"metric {name!r}: "))


def kept_of(result: Kept, task: Task, without: bytes) -> tuple[Predictions, NDArray[np.int64] | None]:
    """Return the predictions that a result keeps, and the groups of its test images, but for images at some places.

    Raises:
        StoreError: the file cannot be read.
        KeyError: it lacks an array.
    """
    arrays = load_npz(result.store.checked(result.record.key, "predictions.npz"))
    left = np.frombuffer(without, np.int64)
    group = np.delete(arrays["group"], left) if "group" in arrays else None
    truth, scores = (np.delete(arrays[name], left, 0) for name in ("y_true", "y_score"))
    return Predictions(task, truth, scores, arrays.get("val_true"), arrays.get("val_score")), group


def _own(name: str, metric: Metric, record: Record) -> Column:
    """Return what the evaluator measured itself."""
    value = _number(record.metrics.get(name))
    if value is None:
        return Column(problem="the record has no such number; its evaluator did not measure it")
    if not metric.low <= value <= metric.high:
        return Column(problem=f"{value:g} is outside its range {metric.low:g} to {metric.high:g}")
    return Column(Measured(value))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
