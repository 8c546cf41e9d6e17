"""InfoNCE (van den Oord et al. 2018) within a batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from medssl_bench.methods import in_float32


def info_nce(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Return the mean of ``-log exp(a_i . b_i / T) / sum_k exp(a_i . b_k / T)``.

    Args:
        first: (B, d) of length 1, the vectors a.
        second: (B, d) of length 1, the vectors b, row by row of the same images.
        temperature: T.
    """
    with in_float32(first.device):
        logits = first @ second.T / temperature
        return F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))
