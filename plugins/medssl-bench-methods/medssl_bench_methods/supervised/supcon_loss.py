"""The supervised contrastive loss (Khosla et al. 2020, eq. 2)."""

from __future__ import annotations

import torch
from torch import Tensor

from medssl_bench.methods import in_float32
from medssl_bench.methods.ntxent import nt_xent


def sup_con(first: Tensor, second: Tensor, labels: Tensor, temperature: float, weights: Tensor | None = None) -> Tensor:
    """Return the mean loss of the 2N views; where all labels differ it is NT-Xent.

    A view has at least one other of its class, that of the same image. Everything is float32, also under autocast, and
    no class is looked up by index, so it does not synchronise the device.

    Args:
        first: (N, D) projections of the first views, not normalised.
        second: (N, D) projections of the second views, row by row of the same images.
        labels: (N,) int64 class numbers.
        temperature: what the cosine similarities are divided by, above 0.
        weights: (C,) of the classes; the mean is then a weighted one.
    """
    with in_float32(first.device):
        logits = nt_xent(first, second, temperature)[1]  # -inf where a view would be compared with itself
        classes = labels.repeat(2)
        same = (classes[:, None] == classes) & ~torch.eye(len(logits), dtype=torch.bool, device=logits.device)
        shares = logits.log_softmax(dim=1).masked_fill(~same, 0.0)
        losses = -shares.sum(dim=1) / same.sum(dim=1)
        if weights is None:
            return losses.mean()
        counts = weights[classes]
        return (counts * losses).sum() / counts.sum()
