"""Follows a training on the images by which its epoch is chosen: which one counts, and when there will be no better."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from medssl_bench.errors import StageError
from medssl_bench.evaluators.base import Trial
from medssl_bench.evaluators.classification import probabilities
from medssl_bench.evaluators.spying import spied
from medssl_bench.training.images import DeviceImages
from medssl_bench.training.state import part

Predict = Callable[[DeviceImages], Tensor]
"""Gives the logits of images, (N, C), in evaluation mode."""


class EpochChoice:
    """The choice of the epoch that counts.

    Args:
        trial: the cell.
        patience: epochs without a better one after which no more are trained; None: all are.

    Attributes:
        images: those it is chosen by; None: the last epoch counts.

    Raises:
        StageError: there is patience, and nothing to choose by.
    """

    def __init__(self, trial: Trial, patience: int | None = None) -> None:
        self._trial, self._device, self._patience = trial, trial.device, patience
        chosen_by, self._best = trial.choice(), trial.best_epoch()
        if patience is not None and chosen_by is None:
            raise StageError("patience needs labelled validation images; leave it out where there are none")
        self.images: DeviceImages | None = None
        self._test: DeviceImages | None = None
        if chosen_by is not None:
            self.images = DeviceImages(trial.splits[chosen_by.split], trial.device, chosen_by.places)

    def look(self, epoch: int, predict: Predict, weights: Mapping[str, Tensor]) -> dict[str, float]:
        """Look at an epoch; return what its row of the history has of these images, as ``val_NAME``.

        Args:
            epoch: 0-based.
            predict: gives the logits of images, in evaluation mode.
            weights: of the epoch.
        """
        if self._best is None or self.images is None:
            return {}
        return {f"val_{name}": value for name, value in self._best.look(epoch, predict(self.images), weights).items()}

    def spied(self, predict: Predict) -> dict[str, float]:
        """Return what the row also has of the test images where the trial spies; call it after `look`."""
        if not self._trial.spy:
            return {}
        if self._test is None:
            self._test = DeviceImages(self._trial.splits["test"], self._device)
        return spied(self._trial, probabilities(self._trial.info.task, predict(self._test)))

    def val_scores(self, predict: Predict) -> NDArray[np.float32] | None:
        """Return the scores of the labelled validation images, or None where there are none."""
        if not len(self._trial.val):
            return None
        val = DeviceImages(self._trial.splits["val"], self._device, self._trial.val)
        return probabilities(self._trial.info.task, predict(val))

    def is_over(self, history: Sequence[Mapping[str, float]]) -> bool:
        """Return whether patience is at its end, after the rows of the history that there are."""
        if self._patience is None or self._best is None or not history:
            return False
        return int(history[-1]["epoch"]) - self._best.epoch >= self._patience

    def end(self, last: int) -> tuple[int, Mapping[str, Tensor] | None]:
        """Return the epoch that counts and its weights, or None where they are those of the last epoch.

        Raises:
            StageError: no epoch can be chosen.
        """
        if self._best is None:
            return last, None
        self._best.require_chosen()
        return self._best.epoch, None if self._best.epoch == last else self._best.state

    def told(self, last: int, epochs: int) -> dict[str, Any]:
        """Return what a record says of the patience: the epochs that were trained, and why there were no more."""
        if self._patience is None or self._best is None:
            return {}
        waited = f"no better epoch in {last - self._best.epoch}"
        why = waited if last + 1 < epochs else "all epochs were trained"
        return {"stopped": {"epochs": last + 1, "of": epochs, "why": why}}

    def state(self) -> tuple[dict[str, Tensor], list[float] | None]:
        """Return what a checkpoint must have of it: weights, and the epoch with its rank."""
        if self._best is None:
            return {}, None
        return {f"best.{name}": each for name, each in self._best.state.items()}, [self._best.epoch, *self._best.rank]

    def restore(self, tensors: Mapping[str, Tensor], values: Sequence[float] | None) -> None:
        """Take over what `state` gave."""
        if self._best is None or values is None:
            return
        epoch, first, second = values
        self._best.epoch, self._best.rank = int(epoch), (first, second)
        self._best.state = {name: each.to(self._device) for name, each in part(tensors, "best.").items()}
