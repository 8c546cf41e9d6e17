"""What keeps a teacher from saying the same of all images: balanced outputs, or a moving mean that is taken off."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medssl_bench_methods.sinkhorn import sinkhorn

Rule = Literal["sinkhorn", "mean"]


class Centering(nn.Module):
    """Makes probabilities of a teacher's outputs.

    Args:
        rule: ``sinkhorn`` balances them over the batch, in 3 iterations; ``mean`` subtracts their moving average.
        outputs: their number K.
        momentum: of the moving average.
    """

    center: Tensor

    def __init__(self, rule: Rule, outputs: int, momentum: float) -> None:
        super().__init__()
        self.rule, self.momentum = rule, momentum
        if rule == "mean":
            self.register_buffer("center", torch.zeros(outputs))

    @torch.no_grad()
    def forward(self, outputs: Tensor, temperature: Tensor) -> Tensor:
        """Return the probabilities, and move the average in training.

        Args:
            outputs: (M, K) float32.
            temperature: a scalar.

        Returns:
            (M, K); each row sums to 1.
        """
        if self.rule == "sinkhorn":
            return sinkhorn(outputs, epsilon=temperature)
        wanted = F.softmax((outputs - self.center) / temperature, dim=1)
        if self.training:
            self.center.lerp_(outputs.mean(dim=0), 1 - self.momentum)
        return wanted
