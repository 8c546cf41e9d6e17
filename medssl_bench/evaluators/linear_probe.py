"""The linear probe: logistic regression on the features of the frozen encoder (Jiang 2023, sec. 3.2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from medssl_bench.evaluators.balance import Balance, balanced_labels, balanced_trial, loss_weights, refuses_balance
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Trial
from medssl_bench.evaluators.minibatches import minibatches

if TYPE_CHECKING:
    from torch import Tensor, nn

    from medssl_bench.datasets import DatasetInfo

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
    """

    needs: ClassVar[Needs] = "features"

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
    ) -> None:
        self.epochs = epochs
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.milestones = (60, 80) if drops == "as_run" else (max(1, int(epochs * 0.6)), max(1, int(epochs * 0.8)))
        self.validate_every = validate_every
        self.balance = balance

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse to balance classes where images have several labels."""
        return refuses_balance(self.balance, info)

    def evaluate(self, trial: Trial) -> Evaluation:
        """Train the probe on the labelled features and predict the test images."""
        from medssl_bench.training.processor import one_thread

        with one_thread():
            return self._evaluate(balanced_trial(self.balance, trial))

    def _evaluate(self, trial: Trial) -> Evaluation:
        from medssl_bench.evaluators.classification import BestEpoch, probabilities, targets
        from medssl_bench.training.optimizer import set_learning_rate
        from medssl_bench.training.schedule import multistep

        assert trial.features is not None
        task = trial.info.task
        features, wanted = (
            trial.features["train"][trial.train],
            targets(task, trial.splits["train"].labels[trial.train]),
        )
        test = trial.features["test"].to(trial.device)
        chosen_by = trial.choice()
        watched = trial.features[chosen_by.split][chosen_by.places].to(trial.device) if chosen_by else None
        features, wanted = features.to(trial.device), wanted.to(trial.device)

        probe, optimizer = self._make(trial, features.shape[1])
        best = BestEpoch(task, chosen_by.labels) if chosen_by else None
        result = Evaluation()
        for epoch in range(self.epochs):
            set_learning_rate(optimizer, multistep(epoch, start=self.lr, milestones=self.milestones))
            mean_loss = self._epoch(trial, probe, optimizer, features, wanted, epoch)
            if trial.looks_at(epoch, self.epochs, self.validate_every):
                row = {"epoch": float(epoch), "loss": mean_loss}
                if best is not None and watched is not None:
                    found = best.look(epoch, probe(watched).detach(), probe.state_dict())
                    row |= {f"val_{name}": value for name, value in found.items()}
                result.history.append(row)
                trial.report(epoch, self.epochs, row)
        result.last_scores = probabilities(task, probe(test).detach())
        result.selected_epoch = self.epochs - 1
        if best is not None:
            probe.load_state_dict(best.state)
            result.selected_epoch = best.epoch
        result.scores = probabilities(task, probe(test).detach())
        result.weights["head"] = dict(probe.state_dict())
        return result

    def _make(self, trial: Trial, dim: int) -> tuple[nn.Linear, Any]:
        import torch

        from medssl_bench.randomness import forked

        with forked(trial.stream("probe weights")):
            probe = torch.nn.Linear(dim, len(trial.info.classes)).to(trial.device)
        optimizer = torch.optim.AdamW(probe.parameters(), lr=self.lr, weight_decay=self.weight_decay, fused=True)
        return probe, optimizer

    def _epoch(
        self, trial: Trial, probe: nn.Linear, optimizer: Any, features: Tensor, wanted: Tensor, epoch: int
    ) -> float:
        """Train for one epoch and return the mean loss."""
        import torch

        from medssl_bench.evaluators.classification import loss

        total = torch.zeros((), device=features.device)
        weights = loss_weights(self.balance, trial)
        order = trial.stream("probe batches", epoch=epoch)
        batches = minibatches(len(features), self.batch_size, order, balanced_labels(self.balance, trial))
        for index in batches:
            places = torch.from_numpy(index).to(features.device)
            optimizer.zero_grad(set_to_none=True)
            value = loss(trial.info.task, probe(features[places]), wanted[places], weights)
            value.backward()
            optimizer.step()
            total += value.detach()
        return float(total) / len(batches)
