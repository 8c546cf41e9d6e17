"""Features of images, of an encoder that is not trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from medssl_bench.training.images import DeviceImages, evaluation_batch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from medssl_bench.datasets import Images, Split


@torch.no_grad()
def features_of(encoder: nn.Module, split: Split | Images, device: torch.device) -> Tensor:
    """Return the features of un-augmented images in evaluation mode, (N, D) float32 on the processor.

    Args:
        encoder: on the device; it is left in evaluation mode.
        split: the images; of none, the features are (0, 0).
        device: where to compute.
    """
    encoder.eval()
    images = DeviceImages(split, device)
    found, filled = torch.empty(0, 0), 0
    for index, batch in images.stream(torch.arange(len(images)).split(evaluation_batch(images.size, encoder))):
        features = encoder(batch).float().cpu()
        if not filled:  # one block for all: joining the parts at the end would take twice the memory
            found = features.new_empty((len(images), *features.shape[1:]))
        found[filled : filled + len(index)] = features
        filled += len(index)
    return found
