"""What a suite may ask of a data set: budgets that it can fill, evaluators that can judge on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.augmentations.corruptions.catalogue import CORRUPTIONS
from medssl_bench.datasets import Task
from medssl_bench.errors import UserError
from medssl_bench.plan.class_map import ClassMap
from medssl_bench.plugin.guarded import asking, make

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.datasets.base import SplitName
    from medssl_bench.datasets.budget import Budget
    from medssl_bench.evaluators import Evaluator
    from medssl_bench.metrics import Metric
    from medssl_bench.plugin.component import Component
    from medssl_bench.plugin.registry import Registry
    from medssl_bench.suite.table import Table


class Unfit(UserError):
    """A recipe cannot be carried out in a comparison; `key` leads to the part of the suite that is to blame."""

    def __init__(self, message: str, *key: str | int) -> None:
        super().__init__(message)
        self.key = key


class CellCheck:
    """Checks what a table asks of one data set; every check returns what is wrong, or an empty string.

    Args:
        table: the comparison.
        info: what is known of the data set; None while it cannot be seen, and then nothing is found wrong.
    """

    def __init__(self, table: Table, info: DatasetInfo | None) -> None:
        self._table = table
        self._info = info

    def folds(self, own: DatasetInfo | None) -> str:
        """Check that the images of a data set can be shared out to the folds, given what is known of its own splits."""
        folds = self._table.folds
        if own is None or folds == 1:
            return ""
        numbers, what = (own.counts, "images") if own.group_counts is None else (own.group_counts, "groups")
        there = sum(numbers.values())
        return f"{own.title}: {there} {what} cannot be shared out to {folds} folds" if there < folds else ""

    def labels(self, budget: Budget) -> str:
        """Check a label budget, of the cells, against the training split."""
        return self._budget(budget, "train", skippable=True)

    def teacher_labels(self, budget: Budget) -> str:
        """Check the label budget of a teacher, for which no cell is left out, against the training split."""
        return self._budget(budget, "train")

    def validation_labels(self) -> str:
        """Check the validation-label budget against the validation split."""
        return self._budget(self._table.model.validation_labels, "val")

    def skips(self, budget: Budget) -> bool:
        """Return whether the cells of a budget are left out, as the set is too small and the suite says so."""
        if self._info is None:
            return False
        if budget.unit == "per_class" and budget.short == "skip" and self._info.class_counts:
            return min(self._info.class_counts) < budget.amount
        if budget.unit == "groups" and budget.short == "skip" and self._info.group_counts:
            return self._info.group_counts["train"] < budget.amount
        return budget.is_skipped(self._info.counts["train"])

    def evaluator(self, registry: Registry, component: Component) -> str:
        """Check that an evaluator can judge on the data set."""
        if self._info is None:
            return ""
        try:
            evaluator: Evaluator = make(registry, component)
            with asking(component):
                reason = evaluator.refuses(self._info)
        except UserError as error:
            return str(error)
        if not reason and evaluator.needs_validation and not self._info.counts["val"]:
            reason = f"{evaluator.needs_validation} needs validation images, and it has none"
        return f"{component.name!r} cannot judge on {self._info.title!r}: {reason}" if reason else ""

    def metric(self, name: str) -> str:
        """Check that a metric is defined for the data set's task, and has the validation images that it needs."""
        metric, model = self._table.metrics.get(name), self._table.model
        if metric and metric.needs_validation:
            for key, is_so in (
                ("validation_labels = 0", model.validation_labels.unit == "none"),
                (f'selection = "{model.selection}"', model.selection != "validation"),
            ):
                if is_so:
                    return f"metric {name!r} needs scores of labelled validation images, and with {key} none are kept"
        return self._undefined(name, metric)

    def criterion(self) -> str:
        """Check that the metric by which epochs are chosen is defined for the data set's task."""
        criterion = self._table.criterion
        return self._undefined(criterion.name, criterion.metric) if criterion else ""

    def corruption(self, name: str) -> str:
        """Check that a corruption that a suite names changes the images."""
        if self._info is None or self._info.channels != 1 or not CORRUPTIONS[name].colour:
            return ""
        return f"{name!r} changes colours, and the images of {self._info.title!r} are grey; leave it out"

    def other_set(self, other: DatasetInfo | None, classes: Mapping[str, tuple[str, ...]]) -> str:
        """Check that classifiers can be tested on another data set."""
        found = ClassMap.of(self._info, other, classes) if self._info and other else ""
        return found if isinstance(found, str) else ""

    def _undefined(self, name: str, metric: Metric | None) -> str:
        if self._info is None or metric is None or self._info.task in metric.tasks:
            return ""
        tasks = ", ".join(metric.tasks)
        return f"metric {name!r} is not defined for {self._info.title!r}, which is {self._info.task}; it is for {tasks}"

    def _budget(self, budget: Budget, split: SplitName, *, skippable: bool = False) -> str:
        info = self._info
        if info is None:
            return ""
        if info.task is Task.MULTI_LABEL and (budget.stratified or budget.unit == "per_class"):
            return f"{info.title} is a multi-label set: its images have no one class; draw a plain number of images"
        if budget.unit == "groups":
            return _groups(info, budget, split, skippable=skippable)
        try:
            budget.images(info.counts[split])
        except ValueError as error:
            return f"{info.title}, {split} split: {error}"
        counts = info.val_class_counts if split == "val" else info.class_counts
        if budget.unit != "per_class" or budget.short != "error" or not counts or min(counts) >= budget.amount:
            return ""
        name, fewest = info.classes[counts.index(min(counts))], min(counts)
        what = "validation" if split == "val" else "training"
        clip = f'{{ per_class = {budget.amount:g}, short = "clip" }} (all there are)'
        return (
            f"{info.title}: class {name!r} has {fewest} {what} images, fewer than {budget.amount:g}; write {clip}"
            + (' or short = "skip"' if skippable else "")
        )


def _groups(info: DatasetInfo, budget: Budget, split: SplitName, *, skippable: bool) -> str:
    """Check a budget in groups."""
    if info.group_counts is None:
        return (
            f"{info.title} has no groups, such as patients, that labels could be drawn by; say what the groups are "
            f"(a folder: `groups`, an npz file: train_groups), or draw a number of images"
        )
    there = info.group_counts[split]
    if budget.short != "error" or budget.amount <= there:
        return ""
    clip = f'{{ groups = {budget.amount:g}, short = "clip" }} (all there are)'
    return f"{info.title}, {split} split: {budget.text} are asked of {there}; ask for fewer, or write {clip}" + (
        ' or short = "skip"' if skippable else ""
    )
