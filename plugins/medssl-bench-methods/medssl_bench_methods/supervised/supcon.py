"""SupCon: labels in the contrastive loss (Khosla et al. 2020). Importing this module imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from medssl_bench.evaluators import Evaluation, Evaluator, Passes, Trial
from medssl_bench.evaluators.balance import balanced_trial
from medssl_bench.evaluators.finetune_settings import FineTuneSettings
from medssl_bench.evaluators.linear_probe import LinearProbe
from medssl_bench.evaluators.ranges import Count
from medssl_bench.plugin.parameters import OneComponent
from medssl_bench_methods.parameters import Temperature, Width
from medssl_bench_methods.supervised.refusal import needs_one_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.evaluators.base import Needs
    from medssl_bench.metrics import Metric


@dataclass(frozen=True, kw_only=True)
class SupCon(FineTuneSettings, Evaluator):
    """Labels in the contrastive loss, then a linear probe (Khosla et al. 2020): what labels add to SimCLR.

    The first stage trains the encoder, and a head of two layers on it, on two views of each labelled image: images of
    one class attract each other, and repel the others. With z the projections, of length 1, and P(i) the other views
    of the class of i, the loss of a view is ``-1/|P(i)| sum_p log exp(z_i . z_p / T) / sum_a exp(z_i . z_a / T)`` (eq.
    2), where p is in P(i) and a is any view but i. The second stage is the evaluator ``linear_probe`` on the features
    of that encoder, which is then frozen: validation images choose its epoch, and the first stage has no choice. The
    epochs of the second stage are numbered after those of the first.

    Differences from the paper: Adam, as ``finetune`` has it; smaller batches; SimCLR's augmentation.

    Args:
        temperature: T. The authors' commands say 0.1; their code's default is 0.07.
        projection: length of the projections; the paper's. The hidden layer is as wide as the features, as theirs.
        augmentation: of both views.
        probe_epochs: passes of the linear probe over the labelled images. It has `validate_every` and `balance` of
            this evaluator, and else the defaults of ``linear_probe``.
    """

    needs: ClassVar[Needs] = "encoder"
    follows_criterion: ClassVar[bool] = True
    trains_encoder: ClassVar[bool] = True
    keeps_head: ClassVar[bool] = True
    measures: ClassVar[Mapping[str, Metric]] = LinearProbe.measures

    temperature: Temperature = 0.1
    projection: Width = 128
    augmentation: Annotated[Any, OneComponent("augmentation")] = "simclr"
    probe_epochs: Count = 500

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse images with several labels: there is no one class that attracts."""
        return needs_one_class(info)

    def images_seen(self, train: int) -> int:
        """Return the labelled images times the epochs of the first stage, as a pretraining counts them."""
        return train * self.epochs

    def passes(self, train: int) -> Passes:  # noqa: ARG002
        """Return the first stage, for cost estimates: two views of each image, and one look, that of the features.

        The steps of the probe are not counted: they are on features, and few beside those of the encoder.
        """
        return Passes(self.epochs, self.batch_size, validate_every=self.epochs, per_image=2)

    def evaluate(self, trial: Trial) -> Evaluation:
        """Train the encoder on the labelled images, then a linear probe on its features.

        Raises:
            StageError: there are fewer than two labelled images, or the augmentation draws once for a whole batch.
        """
        from medssl_bench_methods.supervised.supcon_training import SupConTraining, with_features

        trial = balanced_trial(self.balance, trial)
        epochs = self.epochs + self.probe_epochs

        def first(epoch: int, _: int, metrics: Mapping[str, float]) -> None:
            trial.report(epoch, epochs, metrics)

        def second(epoch: int, _: int, metrics: Mapping[str, float]) -> None:
            trial.report(self.epochs + epoch, epochs, metrics)

        training = SupConTraining(replace(trial, selection="last", report=first), self)
        history = training.train()
        encoder = training.model[0]
        probe = LinearProbe(epochs=self.probe_epochs, validate_every=self.validate_every, balance=self.balance)
        found = probe.evaluate(replace(with_features(trial, encoder), report=second))
        assert found.selected_epoch is not None
        found.selected_epoch += self.epochs
        found.history = history + [{**row, "epoch": row["epoch"] + self.epochs} for row in found.history]
        found.weights["encoder"] = dict(encoder.state_dict())
        return found
