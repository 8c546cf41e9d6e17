"""Fine-tuning: encoder and linear layer are trained together; from scratch it is the supervised baseline.

Jiang 2023, sec. 3.2.4: Adam, one learning rate, no schedule, un-augmented images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from medssl_bench.evaluators.balance import balanced_trial, refuses_balance
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Passes, Trial
from medssl_bench.evaluators.finetune_settings import FineTuneSettings

if TYPE_CHECKING:
    from medssl_bench.datasets import DatasetInfo


@dataclass(frozen=True, kw_only=True)
class FineTune(FineTuneSettings, Evaluator):
    """Encoder and linear layer trained together; from scratch it is the supervised baseline (Jiang 2023, Table 3.2)."""

    needs: ClassVar[Needs] = "encoder"
    follows_criterion: ClassVar[bool] = True
    trains_encoder: ClassVar[bool] = True

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse to balance classes where images have several labels."""
        return refuses_balance(self.balance, info)

    def images_seen(self, train: int) -> int:
        """Return the labelled images times the epochs."""
        return train * self.epochs

    def passes(self, train: int) -> Passes:  # noqa: ARG002
        """Return epochs, batches and looks, for cost estimates."""
        return Passes(self.epochs, self.batch_size, self.validate_every)

    def evaluate(self, trial: Trial) -> Evaluation:
        """Train on the labelled images and predict the test images."""
        from medssl_bench.evaluators.classifier_training import FineTuning

        return FineTuning(balanced_trial(self.balance, trial), self).run()
