"""Optimisers of a pretraining, as a recipe names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer

from medssl_bench.training.schedule import cosine, warmup


def make_optimizer(groups: list[dict[str, Any]], settings: dict[str, Any], *, recorded: bool = False) -> Optimizer:
    """Return an optimiser.

    Args:
        groups: parameter groups; a group's own ``weight_decay`` counts before the recipe's, and its ``lr_scale``, if
            it has one, multiplies the learning rate.
        settings: the recipe's ``optimizer`` table.
        recorded: whether its steps are recorded and played back: learning rates are then tensors on the device, a
            group's its own, as a recording fixes numbers.
    """
    lr = settings["lr"]
    groups = [{"weight_decay": settings["weight_decay"], **group} for group in groups]
    if recorded:
        groups = [{**group, "lr": torch.tensor(lr, device=_device_of(group))} for group in groups]
    if settings["name"] == "sgd":
        return SGD(groups, lr=lr, momentum=settings["momentum"], fused=recorded or None)
    kind = _AdamW if settings["name"] == "adamw" else _Adam
    return kind(groups, lr=lr, fused=True, capturable=recorded)


def _device_of(group: Mapping[str, Any]) -> torch.device | None:
    device: torch.device | None = next((parameter.device for parameter in group["params"]), None)
    return device


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


class _Adam(_InMemoryOrder, Adam):
    pass


class _AdamW(_InMemoryOrder, AdamW):
    pass


def set_learning_rate(optimizer: Optimizer, lr: float) -> None:
    """Set the learning rate of every group, times its ``lr_scale``."""
    for group in optimizer.param_groups:
        rate = lr * group.get("lr_scale", 1.0)
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def scheduled_rate(place: int, length: float, *, lr: float, schedule: dict[str, Any]) -> float:
    """Return the learning rate at a place of a pretraining.

    Args:
        place: 0-based, in the unit of the recipe's duration: an epoch, a step, or a number of images.
        length: of the pretraining, in that unit.
        lr: the recipe's learning rate.
        schedule: the recipe's ``schedule`` table, in that unit.
    """
    rising = schedule["warmup"]
    factor = warmup(place, rising) if place < rising else 1.0
    if schedule["name"] == "constant":
        return lr * factor
    period = schedule["period"] or max(1.0, length - rising)
    return factor * cosine(max(0, place - rising), start=lr, minimum=schedule["minimum"], period=period)
