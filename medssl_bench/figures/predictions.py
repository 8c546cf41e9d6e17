"""The predictions that figures of single trials show: which budgets, seed and draw, and what the arms gave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medssl_bench.datasets import Task
from medssl_bench.figures.material import FigureSource
from medssl_bench.metrics import Predictions
from medssl_bench.plan.chance import Chance

if TYPE_CHECKING:
    from medssl_bench.suite.table import Table


@dataclass(frozen=True)
class Shown:
    """What the arms of a cell gave for the test images.

    Attributes:
        dataset: label of the data set.
        labels: text of the label budget.
        chance: seed and draw.
        classes: names of the classes.
        arms: labels (N, 1) and scores (N, C) by name of the arm; floors are left out.
        val: the same of the labelled validation images, of those arms that keep them.
        task: what the labels mean.
    """

    dataset: str
    labels: str
    chance: Chance
    classes: tuple[str, ...]
    arms: dict[str, tuple[NDArray[Any], NDArray[Any]]]
    val: dict[str, tuple[NDArray[Any], NDArray[Any]]] = field(default_factory=dict)
    task: Task = Task.MULTI_CLASS

    def given(self, arm: str) -> Predictions:
        """Return the predictions of an arm, as metrics get them."""
        return Predictions(self.task, *self.arms[arm], *self.val.get(arm, ()))

    @property
    def images(self) -> int:
        """Number of test images."""
        return len(next(iter(self.arms.values()))[0])


def shown_predictions(source: FigureSource, table: Table, what: str) -> Iterator[Shown]:
    """Yield what the arms gave at the smallest and at the largest budget that is drawn, by data set.

    Args:
        source: plan and store.
        table: the comparison.
        what: what is drawn of it, for messages.
    """
    arms = [arm.name for arm in table.arms if not arm.floor]
    for dataset in source.datasets(table):
        classes = source.classes(dataset)
        if not classes:
            source.left_out(f"{table.id}: {what} of {dataset}: its images have no one class each")
            continue
        shown = []
        for labels in source.shown_budgets(table, dataset):
            chance = source.chance(table, dataset, labels, arms)
            found, val = _arms(source, table, dataset, labels, chance, arms) if chance else ({}, {})
            info = source.info(dataset)
            if chance and found and info:
                shown.append(Shown(dataset, labels, chance, classes, found, val, info.task))
        if not shown:
            source.left_out(f"{table.id}: {what} of {dataset}: no arm has predictions")
        yield from shown


def _arms(
    source: FigureSource, table: Table, dataset: str, labels: str, chance: Chance, arms: list[str]
) -> tuple[dict[str, tuple[NDArray[Any], NDArray[Any]]], dict[str, tuple[NDArray[Any], NDArray[Any]]]]:
    """Return labels and scores of the test images, and of the labelled validation images, by arm."""
    found, val = {}, {}
    for arm in arms:
        trial = source.trial(table, dataset, arm, labels, chance)
        arrays = source.predictions(trial.stage) if trial else None
        if trial and arrays is not None:
            without = source.results.left_out(trial.stage)
            found[arm] = (np.delete(arrays["y_true"], without, 0), np.delete(arrays["y_score"], without, 0))
            if "val_score" in arrays:
                val[arm] = (arrays["val_true"], arrays["val_score"])
    return found, val
