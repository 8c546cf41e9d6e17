"""How many of its outputs a method uses: the gauge of methods that assign images to prototypes."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def used(scores: Tensor) -> Tensor:
    """Return the share of the outputs that images choose: exp of the entropy of how often each is an image's highest.

    1: each as often as the others, as far as there are images enough; near 0: all images choose one. Balanced codes
    would give 1 whatever the network does, so the scores themselves are asked.

    Args:
        scores: (B, K).
    """
    images, outputs = scores.shape
    shares = torch.zeros(outputs, device=scores.device).index_add_(
        0, scores.argmax(dim=1), torch.full((images,), 1 / images, device=scores.device)
    )
    return entropy(shares).exp() / min(images, outputs)


@torch.no_grad()
def entropy(shares: Tensor) -> Tensor:
    """Return the entropy of shares over the last dimension, in nats."""
    return -(shares * shares.clamp(min=1e-12).log()).sum(dim=-1)
