"""The contract of gradients of a method: they are finite, they reach the encoder, and the optimiser uses them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from medssl_bench.errors import did_you_mean
from medssl_bench.methods.base import Method
from medssl_bench.testing.checking import Failed, require

_KEYS = ("params", "weight_decay", "lr_scale", "constant_lr")
"""Keys of a parameter group that the harness reads; an optimiser may read others."""


def backward(loss: Tensor) -> None:
    """Compute the gradients of a loss.

    Raises:
        Failed: it has none, or what it is made of was changed in the meantime.
    """
    require(loss.requires_grad, "the loss has no gradient")
    try:
        loss.backward()
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
        raise Failed(
            "forward() changes a tensor in place that the gradient needs, such as a queue; compute the loss with a "
            "copy of it, as in self.queue.clone()"
        ) from error


def require_sound_gradients(method: Method) -> None:
    """Check the gradients that `backward` has left.

    Raises:
        Failed: one is not finite, or none reaches an encoder that is to be trained.
    """
    for name, gradient in _gradients(method).items():
        finite = bool(torch.isfinite(gradient).all())
        require(
            finite,
            f"the loss is finite, and the gradient of {name} is not; infinity times 0, and the root or the norm of 0, "
            "have no finite gradient: mask logits after all products, and add a small number below a root",
        )
    reached = any(float(gradient.abs().sum()) > 0 for gradient in _gradients(method.encoder).values())
    frozen = not any(parameter.requires_grad for parameter in method.encoder.parameters())
    require(reached or frozen, "no gradient reaches the encoder")


def require_all_in_groups(method: Method, groups: Iterable[Mapping[str, Any]]) -> None:
    """Check parameter groups after `backward`.

    Raises:
        Failed: a parameter has a gradient and is in none, or a key of a group means nothing.
    """
    given: set[int] = set()
    for group in groups:
        given |= {id(parameter) for parameter in _parameters(group["params"])}
        constant = group.get("constant_lr", False)
        require(
            isinstance(constant, bool),
            f"a parameter group has constant_lr = {constant!r}, not True or False; lr_scale multiplies its rate",
        )
        for key in group.keys() - {*_KEYS, "lr"}:  # of lr the training loop says what to do
            hint = did_you_mean(key, _KEYS)
            require(not hint, f"a parameter group has {key!r}, which means nothing{hint}")
    left = [name for name, parameter in method.named_parameters() if parameter.grad is not None]
    left = [name for name in left if id(method.get_parameter(name)) not in given]
    more = f" and {len(left) - 1} more" if len(left) > 1 else ""
    require(
        not left,
        f"no parameter group has {left[0] if left else ''}{more}, so nothing trains it; "
        "add it in parameter_groups(), or freeze it by requires_grad_(False)",
    )


def _gradients(module: nn.Module) -> dict[str, Tensor]:
    return {name: parameter.grad for name, parameter in module.named_parameters() if parameter.grad is not None}


def _parameters(given: Any) -> list[Tensor]:
    """Return the parameters of a group, which PyTorch takes as one, as several, or in pairs with their names."""
    if isinstance(given, Tensor):
        return [given]
    return [each[1] if isinstance(each, tuple) else each for each in given]
