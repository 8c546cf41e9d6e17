"""What happens to gradients and weights before a step of a built-in optimiser: clipping, and a falling weight decay.

Both are hooks of the optimiser, so they are part of its `step` in every training, also where a step is recorded. They
wait for no device.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer

Group = dict[str, Any]


def clip_gradients(optimizer: Optimizer, most: float) -> None:
    """Scale all gradients down before each step, if their norm, taken together, is above `most`."""

    def clip(optimizer: Optimizer, *_: Any) -> None:
        clip_grad_norm_([weight for group in optimizer.param_groups for weight in _moved(group)], most)

    optimizer.register_step_pre_hook(clip)


def let_decay_follow(optimizer: Optimizer, begin: float, end: float) -> None:
    """Let the weight decay of every group follow `set_progress`, from its own at the beginning by a cosine.

    A group whose weight decay is another than `begin` keeps that ratio; one without weight decay stays without. The
    decay is the group's ``decay``, a scalar tensor on the device, and its ``weight_decay`` is 0: the optimiser itself
    decays nothing, as it would keep the number that it had when a step was recorded. `decay_weights`,
    `decay_in_gradients` or the optimiser itself reads the tensor.
    """
    for group in optimizer.param_groups:
        ratio = group["weight_decay"] / begin
        device = group["params"][0].device if group["params"] else None
        group["decay_from"], group["decay_to"] = group["weight_decay"], ratio * end
        group["decay"], group["weight_decay"] = torch.tensor(float(group["weight_decay"]), device=device), 0.0


def set_progress(optimizer: Optimizer, fraction: float) -> None:
    """Set the weight decay of groups where it follows the training, `fraction` of which is done."""
    for group in optimizer.param_groups:
        if "decay" in group:
            rest = (1 + math.cos(math.pi * min(fraction, 1.0))) / 2
            group["decay"].fill_(group["decay_to"] + (group["decay_from"] - group["decay_to"]) * rest)


@torch.no_grad()
def decay_weights(optimizer: Optimizer, *_: Any) -> None:
    """Decay weights as AdamW does: apart from their gradients."""
    for group in _decaying(optimizer):
        factor = 1 - group["lr"] * group["decay"]
        torch._foreach_mul_(_moved(group), factor)


@torch.no_grad()
def decay_in_gradients(optimizer: Optimizer, *_: Any) -> None:
    """Add the weight decay to the gradients, as Adam and SGD do."""
    for group in _decaying(optimizer):
        weights = _moved(group)
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        torch._foreach_add_(gradients, torch._foreach_mul(weights, group["decay"]))  # noqa: SLF001


def _decaying(optimizer: Optimizer) -> list[Group]:
    return [group for group in optimizer.param_groups if group.get("decay_from") and _moved(group)]


def _moved(group: Group) -> list[Tensor]:
    """Return the weights of a group that have a gradient."""
    return [weight for weight in group["params"] if weight.grad is not None]
