"""Watches the features of a pretraining on one batch of validation images, whatever the method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from medssl_bench.methods.health import feature_gauges
from medssl_bench.randomness import forked, stream
from medssl_bench.training.images import evaluation_batch

if TYPE_CHECKING:
    from medssl_bench.methods.base import Method
    from medssl_bench.training.images import DeviceImages

_MOST = 256
"""Images of the batch; of more, singular values would take a part of an epoch."""


class FeatureWatch:
    """Gauges of the encoder's features of un-augmented validation images, at the size of the views.

    Args:
        method: whose encoder.
        val: validation images; of none, or one, there is nothing to watch.
        size: side of the views in pixels.
    """

    def __init__(self, method: Method, val: DeviceImages, size: int) -> None:
        self._method, self._val, self._size = method, val, size
        self._count = min(_MOST, len(val))

    @torch.no_grad()
    def look(self) -> dict[str, float]:
        """Return `feature_gauges` as the encoder is now; it is left in evaluation mode, and nothing is drawn."""
        if self._count < 2:
            return {}
        self._method.eval()
        found = []
        batch = evaluation_batch(self._size, self._method.encoder)
        for index in torch.arange(self._count, device=self._val.device).split(batch):
            images = self._val.take(index)
            if images.shape[-1] != self._size:
                images = F.interpolate(images, size=(self._size, self._size), mode="bilinear", antialias=True)
            with forked(stream("feature watch")):
                found.append(self._method.encoder(images))
        return feature_gauges(torch.cat(found))
