"""The training of FixMatch: a fine-tuning whose batches also have images without labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from medssl_bench.datasets import Images, Split
from medssl_bench.datasets.join import join
from medssl_bench.evaluators import Trial
from medssl_bench.evaluators.classification import loss
from medssl_bench.evaluators.classifier_training import FineTuning
from medssl_bench.training.images import DeviceImages
from medssl_bench_methods.ema import average_of, move
from medssl_bench_methods.supervised.fixmatch_loss import pseudo_label_loss

if TYPE_CHECKING:
    from medssl_bench_methods.supervised.fixmatch import FixMatch


class FixMatchTraining(FineTuning):
    """A fine-tuning with pseudo-labels, whose moving average predicts.

    Args:
        trial: what to train on.
        settings: how.
    """

    views: ClassVar[Sequence[str]] = ("augmentation", "strong")
    measured: ClassVar[Sequence[str]] = ("loss", "confident")

    def __init__(self, trial: Trial, settings: FixMatch) -> None:
        super().__init__(trial, settings)
        self._how = settings
        parts: list[Images | Split] = [trial.splits["train"]]
        if trial.unlabelled is not None:
            parts.append(trial.unlabelled)
        self._others = DeviceImages(join(parts, [0] * len(parts)), trial.device)  # the images: no label is read
        self._average = average_of(self.model)
        self._steps_done = torch.zeros((), dtype=torch.int64)

    @property
    def predictor(self) -> nn.Sequential:
        """The moving average."""
        return self._average

    def stream(self, batches: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the places of labelled images; and these images, followed by `mu` times as many of the others."""
        drawn = [self._drawn(self.batch + number, len(batch)) for number, batch in enumerate(batches)]
        both = zip(super().stream(batches), self._others.stream(drawn), strict=True)
        return ((places, torch.cat([images, others])) for (places, images), (_, others) in both)

    def _drawn(self, batch: int, labelled: int) -> Tensor:
        """Return which of the others come with a batch; where there are too few, all come equally often."""
        seed = self.trial.stream("fixmatch unlabelled", epoch=self.epoch, batch=batch)
        order = np.random.Generator(np.random.PCG64(seed)).permutation(len(self._others))
        return torch.from_numpy(np.resize(order, labelled * self._how.mu))

    def batch_loss(self, places: Tensor, images: Tensor, keys: Sequence[int | Tensor]) -> Mapping[str, Tensor]:
        """Return the sum of the two losses, and the part of the others that have a pseudo-label."""
        labelled = len(places)
        weak, strong = self.view(0, images, keys), self.view(1, images[labelled:], keys)
        logits = self.outputs(torch.cat([weak, strong]))
        known, guessing, learning = logits.split([labelled, len(strong), len(strong)])
        supervised = loss(self.trial.info.task, known, self.wanted[places], self.weights)
        unsupervised, confident = pseudo_label_loss(guessing, learning, self._how.threshold)
        return {"loss": supervised + self._how.unlabelled_weight * unsupervised, "confident": confident}

    @torch.no_grad()
    def after_step(self) -> None:
        """Move the average of the weights; statistics of batch normalisation are taken over."""
        done = int(self._steps_done)
        move([self._average], [self.model], min(self._how.ema, (1 + done) / (10 + done)))
        for kept, current in zip(self._average.buffers(), self.model.buffers(), strict=True):
            kept.copy_(current)
        self._steps_done += 1

    def also_kept(self) -> Mapping[str, Tensor]:
        """Return the average, and the number of steps, on which its momentum depends."""
        return {
            **{f"average.{name}": tensor for name, tensor in self._average.state_dict().items()},
            "steps": self._steps_done,
        }
