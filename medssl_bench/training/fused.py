"""Adam and AdamW whose fused kernel reads weights and gradients in the order in which they lie in memory."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.optim import Adam, AdamW


class _InMemoryOrder:
    """Hands weights, gradients and moments to the fused kernel in the order in which they lie in memory.

    Of others, channels-last ones for instance, the processor's kernel copies the gradients first, which takes it half
    as long again. The result is the same: the kernel works on each number by itself.
    """

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> bool:
        has_complex: bool = super()._init_group(group, *lists)  # type: ignore[misc] # of the optimiser that it is mixed into
        orders = [sorted(range(weight.ndim), key=weight.stride, reverse=True) for weight in lists[0]]
        for tensors in lists[:-1]:  # the last are the numbers of steps
            tensors[:] = [tensor.permute(order) for tensor, order in zip(tensors, orders, strict=False)]
        lists[1][:] = [gradient.contiguous() for gradient in lists[1]]  # the kernel reads it as it reads the weight
        return has_complex


class FusedAdam(_InMemoryOrder, Adam):
    """Adam."""


class FusedAdamW(_InMemoryOrder, AdamW):
    """AdamW."""
