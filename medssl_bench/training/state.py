"""The state of a module and its optimiser as named tensors, from which a training goes on to the bit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from medssl_bench.checkpoints import Checkpoints, TrainingState
from medssl_bench.errors import StageError


def state_of(module: nn.Module, optimizer: Optimizer) -> dict[str, Tensor]:
    """Return weights, all buffers and the optimiser's moments by name; they are not copied."""
    found = {f"module.{name}": tensor for name, tensor in module.state_dict().items()}
    found |= {f"buffer.{name}": tensor for name, tensor in module.named_buffers() if f"module.{name}" not in found}
    for place, parameter, _ in _parameters(optimizer):
        for name, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                found[f"optimizer.{place}.{name}"] = value
    return found


def resume(checkpoints: Checkpoints, module: nn.Module, optimizer: Optimizer) -> TrainingState | None:
    """Put the state of a checkpoint back, and return it whole; None: there is none.

    Raises:
        StageError: it does not fit, as it was made by another version, say; it is deleted.
    """
    state = checkpoints.restore()
    if state is None:
        return None
    try:
        restore_state(module, optimizer, state.tensors)
    except (RuntimeError, KeyError, ValueError) as error:
        checkpoints.forget()
        raise StageError(
            "its checkpoint does not fit, and is deleted; run with --retry-failed to start again"
        ) from error
    return state


@torch.no_grad()
def restore_state(module: nn.Module, optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put a state back.

    Args:
        module: made as the one whose state it is.
        optimizer: likewise, and fresh.
        tensors: from `state_of`; others are left alone.

    Raises:
        RuntimeError: the state is that of another module.
    """
    module.load_state_dict(part(tensors, "module."))
    buffers = dict(module.named_buffers())
    for name, tensor in part(tensors, "buffer.").items():
        if name not in buffers:
            raise RuntimeError(f"there is no buffer {name!r}")
        buffers[name].copy_(tensor)
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in part(tensors, "optimizer.").items():
        place, _, key = name.partition(".")
        moments.setdefault(int(place), {})[key] = tensor
    for number, parameter, group in _parameters(optimizer):
        if number in moments:
            found = moments[number].items()
            optimizer.state[parameter] = {name: _like(parameter, tensor, group) for name, tensor in found}


def _parameters(optimizer: Optimizer) -> Iterator[tuple[int, nn.Parameter, Mapping[str, Any]]]:
    place = 0
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            yield place, parameter, group
            place += 1


def _like(parameter: nn.Parameter, tensor: Tensor, group: Mapping[str, Any]) -> Tensor:
    """Return a moment as the optimiser makes it: on its device, in the memory format of its parameter."""
    if tensor.shape == parameter.shape and tensor.ndim:
        return torch.empty_like(parameter, dtype=tensor.dtype).copy_(tensor)
    on_device = group.get("fused") or group.get("capturable")
    return tensor.clone().to(parameter.device if on_device else "cpu")


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin so, without that beginning."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
