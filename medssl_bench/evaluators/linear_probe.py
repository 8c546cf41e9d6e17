"""The linear probe: logistic regression on the features of the frozen encoder (Jiang 2023, sec. 3.2.3)."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from medssl_bench.evaluators.balance import balanced_trial, refuses_balance
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Passes, Trial
from medssl_bench.evaluators.ranges import ClassBalance, Count, Decay, Rate
from medssl_bench.metrics import Metric
from medssl_bench.plugin.parameters import AddedLater, OneComponent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.evaluators.probe_trial import ProbeSettings


@dataclass(frozen=True, kw_only=True)
class LinearProbe(Evaluator):
    """Logistic regression on the features of the frozen encoder (Jiang 2023, Table 3.2).

    Args:
        epochs: passes over the labelled images; not stated in the thesis, 500 in its code.
        lr: learning rate of AdamW; multiplied by 0.1 twice, see `drops`.
        weight_decay: 1e-4 as the thesis prints, 1e-3 as its code ran.
        batch_size: images of a batch; a smaller set is one batch.
        drops: `fraction`, the rate drops at 60 % and 80 % of the epochs; `as_run`, at epochs 60 and 80 of any number,
            as the thesis' code did.
        validate_every: epochs between two looks at the validation images.
        balance: `undersample`, as many images of each class as the smallest has, the others are left out;
            `oversample`, every class comes equally often in an epoch of as many images; `class_weights`, the loss of
            an image counts n / (k n_c), for n images, n_c of them of its class, and k classes.
        optimizer: another optimiser, whose own parameters then hold instead of `lr` and `weight_decay`; none: AdamW.
            Each probe is then trained by itself, which takes longer.
        schedule: learning rate over the epochs, instead of `drops`; none: as `drops` says.
    """

    needs: ClassVar[Needs] = "features"
    follows_criterion: ClassVar[bool] = True
    keeps_head: ClassVar[bool] = True
    measures: ClassVar[Mapping[str, Metric]] = {"loss_gap": Metric(higher_is_better=False, high=math.inf)}

    epochs: Count = 500
    lr: Rate = 1e-3
    weight_decay: Decay = 1e-4
    batch_size: Count = 64
    drops: Literal["fraction", "as_run"] = "fraction"
    validate_every: Count = 10
    balance: ClassBalance = "none"
    optimizer: Annotated[Any, OneComponent("optimizer"), AddedLater(None)] = None
    schedule: Annotated[Any, OneComponent("schedule"), AddedLater(None)] = None

    @property
    def milestones(self) -> tuple[int, int]:
        """The epochs at which the learning rate drops."""
        as_run, epochs = self.drops == "as_run", self.epochs
        return (60, 80) if as_run else (max(1, int(epochs * 0.6)), max(1, int(epochs * 0.8)))

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse to balance classes where images have several labels."""
        return refuses_balance(self.balance, info)

    def passes(self, train: int) -> Passes:  # noqa: ARG002
        """Return epochs, batches and looks, for cost estimates."""
        return Passes(self.epochs, self.batch_size, self.validate_every)

    @property
    def judges_together(self) -> bool:
        """Whether probes are one batched problem: not with an optimiser of their own, as no two share its state."""
        return self.optimizer is None

    def evaluate(self, trial: Trial) -> Evaluation:
        """Train the probe on the labelled features and predict the test images."""
        if self.judges_together:
            return self.evaluate_together([trial])[0]
        from medssl_bench.evaluators.lone_probe import train_probe
        from medssl_bench.training.processor import one_thread

        with one_thread():
            return train_probe(balanced_trial(self.balance, trial), self._settings())

    def evaluate_together(self, trials: Sequence[Trial]) -> list[Evaluation]:
        """Train the probes of several trials as one batched problem; see `train_probes`."""
        if not self.judges_together:
            return super().evaluate_together(trials)
        from medssl_bench.evaluators.probes import train_probes
        from medssl_bench.training.processor import one_thread

        with one_thread():
            return train_probes([balanced_trial(self.balance, trial) for trial in trials], self._settings())

    def _settings(self) -> ProbeSettings:
        from medssl_bench.evaluators.probe_trial import ProbeSettings

        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "drops"}
        values["schedule"] = self.schedule() if self.schedule else None
        return ProbeSettings(**values, milestones=self.milestones)
