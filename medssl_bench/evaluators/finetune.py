"""Fine-tuning: encoder and linear layer are trained together; from scratch it is the supervised baseline.

Jiang 2023, sec. 3.2.4: Adam, one learning rate, no schedule, un-augmented images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from medssl_bench.datasets import Task
from medssl_bench.evaluators.balance import balanced_trial, refuses_balance
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Passes, Trial
from medssl_bench.evaluators.finetune_settings import FineTuneOptions

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo


@dataclass(frozen=True, kw_only=True)
class FineTune(FineTuneOptions, Evaluator):
    """Encoder and linear layer trained together; from scratch it is the supervised baseline (Jiang 2023, Table 3.2)."""

    needs: ClassVar[Needs] = "encoder"
    follows_criterion: ClassVar[bool] = True
    trains_encoder: ClassVar[bool] = True
    keeps_head: ClassVar[bool] = True

    @property
    def needs_validation(self) -> str:
        """Patience, which counts the epochs since the best one by validation images; or something of the probe."""
        if self.patience is not None:
            return "patience"
        found: str = "" if self.probe is None else self.probe().needs_validation
        return found

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse to balance classes, and to smooth them, where images have several labels."""
        if self.label_smoothing and info.task is Task.MULTI_LABEL:
            return "label_smoothing needs one class an image, and its images have several labels"
        return refuses_balance(self.balance, info)

    def images_seen(self, train: int) -> int:
        """Return the labelled images times the epochs."""
        return train * self.epochs

    def passes(self, train: int) -> Passes:  # noqa: ARG002
        """Return epochs, batches and looks, for cost estimates; the features of a probe are a third of an epoch."""
        more = 0.0 if self.probe is None else 1 / (3 * self.epochs)
        return Passes(self.epochs, self.batch_size, self.validate_every, 1 + more)

    def evaluate(self, trial: Trial) -> Evaluation:
        """Train on the labelled images and predict the test images."""
        from medssl_bench.evaluators.finetune_training import FineTuneTraining

        return FineTuneTraining(balanced_trial(self.balance, trial), self).run()
