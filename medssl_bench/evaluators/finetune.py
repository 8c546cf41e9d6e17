"""Fine-tuning: encoder and linear layer are trained together; from scratch it is the supervised baseline.

Jiang 2023, sec. 3.2.4: Adam, one learning rate, no schedule, un-augmented images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from medssl_bench.errors import StageError
from medssl_bench.evaluators.balance import Balance, balanced_labels, balanced_trial, loss_weights, refuses_balance
from medssl_bench.evaluators.base import Evaluation, Evaluator, Needs, Trial
from medssl_bench.evaluators.minibatches import minibatches

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from medssl_bench.datasets import DatasetInfo
    from medssl_bench.training.images import DeviceImages


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
    """

    needs: ClassVar[Needs] = "encoder"
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
    ) -> None:
        self.epochs = epochs
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.validate_every = validate_every
        self.augmentation = augmentation
        self.precision = precision
        self.balance = balance

    def refuses(self, info: DatasetInfo) -> str:
        """Refuse to balance classes where images have several labels."""
        return refuses_balance(self.balance, info)

    def images_seen(self, train: int) -> int:
        """Return the labelled images times the epochs."""
        return train * self.epochs

    def evaluate(self, trial: Trial) -> Evaluation:
        """Train on the labelled images and predict the test images."""
        import torch

        from medssl_bench.evaluators.classification import BestEpoch, probabilities
        from medssl_bench.training.images import DeviceImages

        trial = balanced_trial(self.balance, trial)
        if len(trial.train) < 2:
            raise StageError(
                "fine-tuning needs two labelled images or more: batch normalisation has no variance in one"
            )
        task, device = trial.info.task, trial.device
        train = DeviceImages(trial.splits["train"], device, trial.train)
        test = DeviceImages(trial.splits["test"], device)
        chosen_by = trial.choice()
        watched = DeviceImages(trial.splits[chosen_by.split], device, chosen_by.places) if chosen_by else None
        model = self._make(trial)
        optimizer = torch.optim.Adam(model.parameters(), lr=self.lr, weight_decay=self.weight_decay, fused=True)
        best = BestEpoch(task, chosen_by.labels) if chosen_by else None
        result = Evaluation()
        for epoch in range(self.epochs):
            trial.report(epoch, self.epochs, {})
            row = {"epoch": float(epoch), "loss": self._epoch(trial, model, optimizer, train, epoch)}
            if trial.looks_at(epoch, self.epochs, self.validate_every):
                if best is not None and watched is not None:
                    found = best.look(epoch, self._predict(model, watched), model.state_dict())
                    row |= {f"val_{name}": value for name, value in found.items()}
                result.history.append(row)
            trial.report(epoch, self.epochs, row)
        result.last_scores = probabilities(task, self._predict(model, test))
        result.scores = result.last_scores
        result.selected_epoch = self.epochs - 1
        if best is not None and best.epoch != self.epochs - 1:
            model.load_state_dict(best.state)
            result.scores = probabilities(task, self._predict(model, test))
            result.selected_epoch = best.epoch
        encoder, head = model
        result.weights = {"encoder": dict(encoder.state_dict()), "head": dict(head.state_dict())}
        return result

    def _make(self, trial: Trial) -> nn.Sequential:
        import torch

        from medssl_bench.encoders.dim import feature_dim
        from medssl_bench.randomness import forked

        encoder = trial.encoder()
        with forked(trial.stream("classifier weights")):
            head = torch.nn.Linear(feature_dim(encoder), len(trial.info.classes))
        model = torch.nn.Sequential(encoder, head.to(trial.device))
        return model.to(memory_format=torch.channels_last)

    def _epoch(self, trial: Trial, model: nn.Module, optimizer: Any, images: DeviceImages, epoch: int) -> float:
        """Train for one epoch and return the mean loss."""
        import torch

        from medssl_bench.augmentations.views import draw_view
        from medssl_bench.evaluators.classification import loss, targets
        from medssl_bench.randomness import forked

        model.train()
        wanted = targets(trial.info.task, trial.splits["train"].labels[trial.train]).to(trial.device)
        augment = self.augmentation(size=images.size).to(trial.device) if self.augmentation else None
        total = torch.zeros((), device=trial.device)
        weights = loss_weights(self.balance, trial)
        order = trial.stream("finetune batches", epoch=epoch)
        batches = minibatches(len(images), self.batch_size, order, balanced_labels(self.balance, trial))
        for number, index in enumerate(batches):
            places = torch.from_numpy(index).to(trial.device)
            batch = images.take(places)
            if augment is not None:
                batch = draw_view(augment, batch, trial.stream("finetune views", epoch=epoch, batch=number))
            with forked(trial.stream("finetune step", epoch=epoch, batch=number)):
                optimizer.zero_grad(set_to_none=True)
                with self._autocast(trial.device.type):
                    logits = model(batch)
                value = loss(trial.info.task, logits.float(), wanted[places], weights)
                value.backward()
                optimizer.step()
            total += value.detach()
        return float(total) / len(batches)

    def _predict(self, model: nn.Module, images: DeviceImages) -> Tensor:
        """Return the logits of images, in evaluation mode."""
        import torch

        from medssl_bench.training.images import evaluation_batch

        model.eval()
        with torch.no_grad(), self._autocast(images.device.type):
            places = torch.arange(len(images), device=images.device)
            return torch.cat(
                [model(images.take(index)).float() for index in places.split(evaluation_batch(images.size))]
            )

    def _autocast(self, device: str) -> Any:
        import torch

        return torch.autocast(device, dtype=torch.bfloat16, enabled=self.precision == "bfloat16")
