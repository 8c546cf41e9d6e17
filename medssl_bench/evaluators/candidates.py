"""The candidates of a tuning in one cell: on what each is judged, how each did, and which is chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from medssl_bench.checkpoints import Checkpoints, TrainingState
from medssl_bench.errors import StageError
from medssl_bench.evaluators.base import Evaluation, Trial
from medssl_bench.metrics import Predictions
from medssl_bench.metrics.classification import cross_entropy, measure
from medssl_bench.metrics.criterion import default_criterion


def judged_on_validation(trial: Trial) -> Trial:
    """Return a trial that predicts its labelled validation images in place of the test images.

    Nothing of the test split is in it, neither labels nor images nor features.
    """
    whole, places = trial.splits["val"], trial.val
    every = np.array_equal(places, np.arange(len(whole)))
    judged = whole if every else whole.at(places)  # no copy of a set that may be large
    info, features = trial.info, trial.features
    if features is not None:
        features = {**features, "test": features["val"][torch.from_numpy(places)]}
    groups = None if info.group_counts is None or judged.groups is None else len(np.unique(judged.groups))
    return replace(
        trial,
        info=replace(
            info,
            counts={**info.counts, "test": len(judged)},
            test_class_counts=None,
            group_counts=None if groups is None or info.group_counts is None else {**info.group_counts, "test": groups},
        ),
        splits={**trial.splits, "test": judged},
        features=features,
        spy=False,
    )


class Candidates:
    """The candidates in one cell; where a training of minutes is interrupted, those that were judged stay judged.

    Args:
        trial: the cell.
        settings: the values of each candidate, by name.

    Attributes:
        found: how each that was judged did, in their order: JSON-able, without `settings`.

    Raises:
        StageError: no validation image has a label, or the epoch is chosen by others.
    """

    def __init__(self, trial: Trial, settings: Sequence[Mapping[str, Any]]) -> None:
        if trial.selection != "validation" or not len(trial.val):
            raise StageError("tune needs labelled validation images to choose by; leave it out where there are none")
        self._trial, self._settings = trial, settings
        self._judged = judged_on_validation(trial)
        criterion = trial.criterion
        self._name = default_criterion(trial.info.task) if criterion is None else criterion.name
        state = trial.checkpoints.restore()
        self.found: list[dict[str, Any]] = [] if state is None else list(state.values.get("candidates", []))

    @property
    def labelled(self) -> int:
        """Number of labelled training images."""
        return len(self._trial.train)

    @property
    def images_seen(self) -> int:
        """On how many images the candidates that were judged have trained an encoder."""
        return sum(row["images_seen"] for row in self.found)

    def trial_of(self, number: int) -> Trial:
        """Return on what a candidate is judged; the number after the last one is that of the chosen one: the cell."""
        trial = self._judged if number < len(self._settings) else self._trial
        runs = len(self._settings) + 1

        def report(index: int, total: int, metrics: Mapping[str, float]) -> None:
            self._trial.report(number * total + index, runs * total, metrics)

        return replace(trial, report=report, checkpoints=_Part(self._trial.checkpoints, number, self.found))

    def note(self, found: Evaluation, images_seen: int) -> None:
        """Note how the next candidate did.

        Args:
            found: what it predicts of the labelled validation images.
            images_seen: how many images an encoder was trained on.

        Raises:
            StageError: it gives no scores of these images.
        """
        task, labels = self._trial.info.task, self._judged.splits["test"].labels
        scores, wanted = found.scores, (len(labels), len(self._trial.info.classes))
        if not isinstance(scores, np.ndarray) or scores.shape != wanted:
            raise StageError(f"one of the candidates gives no scores of shape {wanted}")
        row: dict[str, Any] = {self._name: None, "loss": None}
        if np.isfinite(scores).all():  # else its training has diverged
            given = scores.astype(np.float32)
            row["loss"] = cross_entropy(task, labels, given)
            criterion = self._trial.criterion
            row[self._name] = (
                measure(task, labels, given)[self._name]
                if criterion is None
                else criterion.value(Predictions(task, labels, given))
            )
        row["images_seen"] = images_seen
        if found.selected_epoch is not None:
            row["selected_epoch"] = found.selected_epoch
        self.found.append(row)

    def chosen(self) -> int:
        """Return the number of the best candidate; among equals that of the lower loss, then the first.

        Raises:
            StageError: the metric has a value for none.
        """
        ranks = [self._rank(row) for row in self.found]
        best = max(range(len(ranks)), key=ranks.__getitem__)
        if ranks[best][0] == -math.inf:
            raise StageError(
                f"no candidate can be chosen by {self._name!r}: none has a value on the {len(self._trial.val):,} "
                "labelled validation images; give the comparison more `validation_labels`, or another `select_by`"
            )
        return best

    def told(self) -> dict[str, Any]:
        """Return what a record says: the metric, the number and the values of the chosen candidate, and all of them."""
        best = self.chosen()
        rows = [
            {"values": dict(values), **{name: value for name, value in row.items() if name != "images_seen"}}
            for values, row in zip(self._settings, self.found, strict=True)
        ]
        return {"by": self._name, "candidate": best, "values": dict(self._settings[best]), "candidates": rows}

    def _rank(self, row: Mapping[str, Any]) -> tuple[float, float]:
        value, criterion = row[self._name], self._trial.criterion
        if value is None:
            return -math.inf, -math.inf
        return value if criterion is None else criterion.score(value), -row["loss"]


class _Part(Checkpoints):
    """The checkpoint of a stage while one of several trainings is under way."""

    def __init__(self, whole: Checkpoints, number: int, found: Sequence[Mapping[str, Any]]) -> None:
        self._whole, self._number, self._found = whole, number, found

    def restore(self) -> TrainingState | None:
        state = self._whole.restore()
        if state is None or state.values.get("candidate") != self._number:
            return None
        return TrainingState(state.tensors, state.values["training"])

    def is_due(self) -> bool:
        return self._whole.is_due()

    def save(self, state: TrainingState) -> None:
        values = {"candidate": self._number, "candidates": list(self._found), "training": dict(state.values)}
        self._whole.save(TrainingState(state.tensors, values))

    def forget(self) -> None:
        self._whole.forget()
