"""The loss of FixMatch on images without labels (Sohn et al. 2020, eq. 4)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from medssl_bench.methods import in_float32


def pseudo_label_loss(weak: Tensor, strong: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of strong views with the classes of the weak ones, and how many images count.

    Args:
        weak: (N, C) logits of the weak views; no gradient passes through them.
        strong: (N, C) logits of the strong views.
        threshold: least probability of a class by which an image counts.

    Returns:
        The sum over the images that count, divided by N, and the part of the images that count, in [0, 1]; scalars.
    """
    with in_float32(weak.device):
        confidence, guessed = weak.detach().float().softmax(dim=1).max(dim=1)
        counts = (confidence >= threshold).float()
        losses = F.cross_entropy(strong.float(), guessed, reduction="none")
        return (counts * losses).mean(), counts.mean()
