"""The linear probe: logistic regression on the features of the frozen encoder (Jiang 2023, sec. 3.2.3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

from medssl_bench.evaluators.balance import Balance, balanced_trial, refuses_balance
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Passes, Trial
from medssl_bench.metrics import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch.optim import Optimizer

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.training.schedule import Schedule

Drops = Literal["fraction", "as_run"]


class LinearProbe(Evaluator):
    """Logistic regression, trained by AdamW with a learning rate that drops twice.

    Args:
        epochs: passes over the labelled images.
        lr: learning rate.
        weight_decay: decoupled weight decay.
        batch_size: images of a batch; a smaller set is one batch.
        drops: the rate is multiplied by 0.1 at 60 % and 80 % of the epochs (``fraction``), or at epochs 60 and 80
            whatever their number (``as_run``).
        validate_every: epochs between two looks at the images that the epoch is chosen by.
        balance: how classes of unequal size are made up for.
        optimizer: makes the optimiser from parameter groups and whether steps are recorded; None: AdamW. Only a
            `LoneProbe` has one.
        schedule: makes the learning rate over the epochs; None: as `drops` says.
    """

    needs: ClassVar[Needs] = "features"
    follows_criterion: ClassVar[bool] = True
    measures: ClassVar[Mapping[str, Metric]] = {"loss_gap": Metric(higher_is_better=False, high=math.inf)}

    def __init__(
        self,
        *,
        epochs: int,
        lr: float,
        weight_decay: float,
        batch_size: int,
        drops: Drops,
        validate_every: int,
        balance: Balance,
        optimizer: Callable[..., Optimizer] | None = None,
        schedule: Callable[[], Schedule] | None = None,
    ) -> None:
        self.epochs = epochs
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.milestones = (60, 80) if drops == "as_run" else (max(1, int(epochs * 0.6)), max(1, int(epochs * 0.8)))
        self.validate_every = validate_every
        self.balance = balance
        self.optimizer = optimizer
        self.schedule = schedule

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse to balance classes where images have several labels."""
        return refuses_balance(self.balance, info)

    def passes(self, train: int) -> Passes:  # noqa: ARG002
        """Return epochs, batches and looks, for cost estimates."""
        return Passes(self.epochs, self.batch_size, self.validate_every)

    def evaluate(self, trial: Trial) -> Evaluation:
        """Train the probe on the labelled features and predict the test images."""
        return self.evaluate_together([trial])[0]

    def evaluate_together(self, trials: Sequence[Trial]) -> list[Evaluation]:
        """Train the probes of several trials as one batched problem; see `train_probes`."""
        from medssl_bench.evaluators.probe_trial import ProbeSettings
        from medssl_bench.evaluators.probes import train_probes
        from medssl_bench.training.processor import one_thread

        settings = ProbeSettings(**vars(self))
        with one_thread():
            return train_probes([balanced_trial(self.balance, trial) for trial in trials], settings)


class LoneProbe(LinearProbe):
    """A linear probe with an optimiser of its own: each is trained by itself, as no two share the optimiser's state."""

    evaluate_together = Evaluator.evaluate_together

    def evaluate(self, trial: Trial) -> Evaluation:
        """Train the probe on the labelled features and predict the test images."""
        from medssl_bench.evaluators.lone_probe import train_probe
        from medssl_bench.evaluators.probe_trial import ProbeSettings
        from medssl_bench.training.processor import one_thread

        with one_thread():
            return train_probe(balanced_trial(self.balance, trial), ProbeSettings(**vars(self)))
