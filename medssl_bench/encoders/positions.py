"""Position embeddings of a model of timm, and images that are too small for them."""

from __future__ import annotations

import torch
from torch import Tensor, nn


@torch.no_grad()
def repeats_a_patch(model: nn.Module, size: int, channels: int) -> bool:
    """Return whether a model makes tokens out of nothing: of an image of one patch, one for each position that it has.

    Where positions are added to the only patch of an image, torch repeats that patch, and no error is raised. So
    VOLO would take images of 28 pixels for 196 patches.

    Args:
        model: of timm, in evaluation mode; one without a table of positions repeats nothing.
        size: side of the images in pixels. They are smaller than those that the model was made for.
        channels: of the images.
    """
    positions = getattr(model, "pos_embed", None)
    if not isinstance(positions, Tensor) or positions.ndim < 3:
        return False
    images = torch.zeros(1, channels, size, size, device=positions.device)
    tokens = model.forward_features(images)  # type: ignore[operator] # timm's models have it
    number = positions.numel() // positions.shape[-1]
    return isinstance(tokens, Tensor) and tokens.ndim == 3 and tokens.shape[1] >= number > 1
