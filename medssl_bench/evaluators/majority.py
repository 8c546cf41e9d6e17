"""The majority class: the floor that a classifier must beat."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from medssl_bench.datasets import Task
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Trial


class Majority(Evaluator):
    """The majority class of the labelled images: a floor. Its AUROC is 0.5, as it tells no image from another.

    It predicts, for every test image, how often each class (or label) is among all training images, whatever the label
    budget: a floor must not be lower because the few labelled images happen to have another majority than the rest.
    """

    needs: ClassVar[Needs] = "labels"
    uses_seed: ClassVar[bool] = False

    def evaluate(self, trial: Trial) -> Evaluation:
        """Count the labels."""
        labels = trial.splits["train"].labels[trial.train]
        if trial.info.task is Task.MULTI_LABEL:
            shares = labels.mean(axis=0)
        else:
            shares = np.bincount(labels[:, 0], minlength=len(trial.info.classes)) / len(labels)
        scores = np.tile(shares.astype(np.float32), (len(trial.splits["test"]), 1))
        return Evaluation(scores=scores)
