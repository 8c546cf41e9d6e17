"""An encoder with a linear layer on top: images to probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

from medssl_bench.datasets import Images
from medssl_bench.encoders.dim import feature_dim
from medssl_bench.errors import UserError
from medssl_bench.evaluators.classification import probabilities
from medssl_bench.training.images import DeviceImages, evaluation_batch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from medssl_bench.models.prediction.facts import Facts


class Classifier:
    """A trained classifier.

    It computes as the evaluation did, in batches of as many images. So the test images, in their order, get the scores
    that the stage kept; a linear probe's are rounded in another way (1e-6), as there all images are one product.

    Args:
        encoder: images (B, 3, H, W) in [0, 1] to features (B, D).
        head: `weight` (C, D) and `bias` (C,).
        facts: what it predicts.
        device: where to compute.

    Raises:
        UserError: the head is no linear layer from the features to the classes.
    """

    def __init__(self, encoder: nn.Module, head: Mapping[str, Tensor], facts: Facts, device: torch.device) -> None:
        shapes = {name: tuple(tensor.shape) for name, tensor in head.items()}
        classes, dim = len(facts.classes), feature_dim(encoder)
        if shapes != {"weight": (classes, dim), "bias": (classes,)}:
            raise UserError(f"the head, {shapes}, is no linear layer from {dim} features to {classes} classes")
        self.facts = facts
        self._device = device
        self._encoder = encoder.to(device).to(memory_format=torch.channels_last).eval()
        self._weight, self._bias = head["weight"].to(device), head["bias"].to(device)

    @property
    def batch(self) -> int:
        """How many images are computed together."""
        return evaluation_batch(self.facts.images.size, self._encoder)

    @torch.no_grad()
    def predict(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return probabilities of the classes, or of each label of a multi-label task.

        Args:
            images: (N, size, size) or (N, size, size, 3); grey ones are repeated to three channels.

        Returns:
            (N, C).

        Raises:
            UserError: they are not finite numbers.
        """
        held = DeviceImages(Images(images), self._device)
        batches = torch.arange(len(held)).split(self.batch)
        scores = np.concatenate([self._scores(batch) for _, batch in held.stream(batches)])
        if not np.isfinite(scores).all():
            raise UserError("the model gives numbers that are not finite: its training has diverged")
        return scores

    def _scores(self, images: Tensor) -> NDArray[np.float32]:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self.facts.precision == "bfloat16"):
            features = self._encoder(images)
        return probabilities(self.facts.task, F.linear(features.float(), self._weight, self._bias))
