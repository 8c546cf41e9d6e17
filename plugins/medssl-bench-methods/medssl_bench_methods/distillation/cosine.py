"""How near predictions are to what they predict, by the cosine between them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from medssl_bench.methods import in_float32


def mean_cosine(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean cosine of the rows; no gradient passes through what is wanted.

    Args:
        predicted: (B, d), not normalised.
        wanted: (B, d), not normalised, row by row of the same images.
    """
    with in_float32(predicted.device):
        first, second = F.normalize(predicted.float(), dim=1), F.normalize(wanted.detach().float(), dim=1)
        return (first * second).sum(dim=1).mean()
