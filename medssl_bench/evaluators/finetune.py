"""Fine-tuning: encoder and linear layer are trained together; from scratch it is the supervised baseline.

Jiang 2023, sec. 3.2.4: Adam, one learning rate, no schedule, un-augmented images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from medssl_bench.errors import StageError
from medssl_bench.evaluators.balance import Balance, balanced_trial, refuses_balance
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Passes, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn
    from torch.optim import Optimizer

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.training.schedule import Schedule


class FineTune(Evaluator):
    """Trains the encoder with a linear layer on top.

    Args:
        epochs: passes over the labelled images.
        lr: learning rate of Adam.
        weight_decay: L2 penalty.
        batch_size: images of a batch; a smaller set is one batch.
        validate_every: epochs between two looks at the images that the epoch is chosen by.
        augmentation: makes the augmentation of the training images for a size; None: un-augmented.
        precision: ``float32`` or ``bfloat16`` arithmetic of the forward pass.
        balance: how classes of unequal size are made up for.
        optimizer: makes the optimiser from parameter groups and whether steps are recorded; None: Adam.
        schedule: makes the learning rate over the epochs; None: one learning rate.
    """

    needs: ClassVar[Needs] = "encoder"
    follows_criterion: ClassVar[bool] = True
    trains_encoder: ClassVar[bool] = True

    def __init__(
        self,
        *,
        epochs: int,
        lr: float,
        weight_decay: float,
        batch_size: int,
        validate_every: int,
        augmentation: Callable[..., nn.Module] | None,
        precision: str,
        balance: Balance,
        optimizer: Callable[..., Optimizer] | None = None,
        schedule: Callable[[], Schedule] | None = None,
    ) -> None:
        self.epochs = epochs
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.validate_every = validate_every
        self.augmentation = augmentation
        self.precision = precision
        self.balance = balance
        self.optimizer = optimizer
        self.schedule = schedule

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
        from medssl_bench.evaluators.classifier_training import FineTuneSettings, FineTuning

        trial = balanced_trial(self.balance, trial)
        if len(trial.train) < 2:
            raise StageError(
                "fine-tuning needs two labelled images or more: batch normalisation has no variance in one"
            )
        return FineTuning(trial, FineTuneSettings(**vars(self))).run()
