"""The first stage of SupCon: an encoder and a projection head on labelled images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from medssl_bench.datasets import Split, Splits
from medssl_bench.evaluators import Trial
from medssl_bench.evaluators.classifier_training import FineTuning
from medssl_bench.stages.embed import features
from medssl_bench_methods.heads import mlp
from medssl_bench_methods.supervised.supcon_loss import sup_con

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from medssl_bench.datasets.base import SplitName
    from medssl_bench_methods.supervised.supcon import SupCon


class SupConTraining(FineTuning):
    """A fine-tuning whose head projects, and whose loss compares two views of each image.

    Args:
        trial: what to train on; the last epoch counts.
        settings: how.
    """

    views: ClassVar[Sequence[str]] = ("augmentation", "augmentation")

    def __init__(self, trial: Trial, settings: SupCon) -> None:
        self._temperature, self._projection = settings.temperature, settings.projection
        super().__init__(trial, settings)

    def make_model(self) -> nn.Sequential:
        """Return the encoder and a head of two layers, the first as wide as the features."""
        return self.with_head(lambda dim: mlp((dim, dim, self._projection), normalized=False), "projection weights")

    def batch_loss(self, places: Tensor, images: Tensor, keys: Sequence[int | Tensor]) -> Mapping[str, Tensor]:
        """Return the supervised contrastive loss of two views of each image."""
        projections = self.outputs(torch.cat([self.view(number, images, keys) for number in range(2)]))
        first, second = projections.chunk(2)
        return {"loss": sup_con(first, second, self.wanted[places], self._temperature, self.weights)}


def with_features(trial: Trial, encoder: nn.Module) -> Trial:
    """Return a trial for a probe: of the images that count alone, with their features.

    Args:
        trial: the cell.
        encoder: images to features; it is put into evaluation mode.
    """
    every = np.arange(len(trial.splits["test"]))
    parts: list[tuple[SplitName, NDArray[np.int64]]] = [("train", trial.train), ("val", trial.val), ("test", every)]
    splits: Splits = {}
    for name, places in parts:
        whole = trial.splits[name]
        splits[name] = Split(whole.images[places], whole.labels[places])
    return replace(
        trial,
        splits=splits,
        train=np.arange(len(trial.train)),
        val=np.arange(len(trial.val)),
        features=features(encoder, splits, trial.device),
    )
