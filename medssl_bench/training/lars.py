"""LARS, without a branch that waits for the device."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

_TINY = 1e-8
"""Added to the norm that is divided by, as in lightly's implementation."""


class Lars(Optimizer):
    """Layer-wise adaptive rate scaling (You, Gitman and Ginsburg 2017, Algorithm 1), as SimCLR and BYOL use it.

    The step of each weight tensor w with gradient g is ``trust * |w| / (|g| + decay * |w|)`` times ``g + decay * w``,
    with momentum. A tensor whose weights or gradients are all zero gets neither factor nor decay. Neither does a group
    without weight decay: biases and normalisation are put there in these papers.

    The learning rate multiplies the momentum when weights are changed, as in torch's SGD and in SimCLR's code; the
    paper has it in the momentum. Both are the same at a constant rate.
    """

    def __init__(
        self, groups: list[dict[str, Any]], *, lr: float, weight_decay: float, momentum: float, trust: float
    ) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "trust": trust})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override] # noqa: ARG002 - torch's signature
        """Change the weights."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._change(group, weights)

    def _change(self, group: dict[str, Any], weights: list[Tensor]) -> None:
        steps = [weight.grad for weight in weights if weight.grad is not None]
        decay = group.get("decay", group["weight_decay"])  # a tensor, if it follows the training
        if group.get("decay_from", group["weight_decay"]):
            steps = _scaled(weights, steps, decay, group["trust"])
        if group["momentum"]:
            for weight in weights:
                if "momentum_buffer" not in self.state[weight]:
                    self.state[weight]["momentum_buffer"] = torch.zeros_like(weight)
            buffers = [self.state[weight]["momentum_buffer"] for weight in weights]
            torch._foreach_mul_(buffers, group["momentum"])
            torch._foreach_add_(buffers, steps)
            steps = buffers
        torch._foreach_sub_(weights, torch._foreach_mul(steps, group["lr"]))  # noqa: SLF001


def _scaled(weights: list[Tensor], gradients: list[Tensor], decay: float | Tensor, trust: float) -> list[Tensor]:
    """Return the gradients with weight decay, times the factor of each."""
    sizes = torch.stack(torch._foreach_norm(weights))  # noqa: SLF001
    slopes = torch.stack(torch._foreach_norm(gradients))  # noqa: SLF001
    known = (sizes > 0) & (slopes > 0)
    factors = torch.where(known, trust * sizes / (slopes + sizes * decay + _TINY), 1.0)
    decayed = torch._foreach_mul(weights, (known.to(sizes.dtype) * decay).unbind())  # noqa: SLF001
    torch._foreach_add_(decayed, gradients)
    torch._foreach_mul_(decayed, factors.unbind())
    return list(decayed)
