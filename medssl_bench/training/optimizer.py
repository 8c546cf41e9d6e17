"""Makes the optimiser of a training from the component that a recipe or an evaluator names, and sets its rate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.optim import Optimizer

from medssl_bench.errors import StageError
from medssl_bench.training import builtin
from medssl_bench.training.schedule import Constant, Cosine, Schedule

MakeOptimizer = Callable[[list[dict[str, Any]], bool], Optimizer]
"""Makes an optimiser from parameter groups, and from whether its steps are recorded in a CUDA graph."""

_OPTIMIZERS: dict[str, type[builtin.AdamW | builtin.Adam | builtin.Sgd | builtin.Lars]] = {
    "adamw": builtin.AdamW,
    "adam": builtin.Adam,
    "sgd": builtin.Sgd,
    "lars": builtin.Lars,
}
_SCHEDULES: dict[str, type[Cosine | Constant]] = {"cosine": Cosine, "constant": Constant}


def make_optimizer(
    groups: list[dict[str, Any]],
    settings: Mapping[str, Any],
    *,
    recorded: bool = False,
    make: MakeOptimizer | None = None,
) -> Optimizer:
    """Return an optimiser.

    Args:
        groups: parameter groups; a group's own ``weight_decay`` counts before that of the settings, and its
            ``lr_scale``, if it has one, multiplies the learning rate, which stays that of the settings if its
            ``constant_lr`` is true.
        settings: the name of a built-in optimiser and its parameters.
        recorded: whether its steps are recorded and played back: learning rates are then tensors on the device, a
            group's its own, as a recording fixes numbers.
        make: makes another than a built-in optimiser.

    Raises:
        StageError: `make` gives no optimiser, or one without a learning rate.
    """
    if make is None:
        values = {name: value for name, value in settings.items() if name != "name"}
        optimizer = _OPTIMIZERS[settings["name"]](**values).build(groups, recorded)
    else:
        optimizer = make(groups, recorded)
    if not isinstance(optimizer, Optimizer):
        raise StageError(f"the optimizer's factory gives {type(optimizer).__name__}, not a torch.optim.Optimizer")
    if not isinstance(optimizer.defaults.get("lr"), float | int):
        raise StageError("the optimizer has no learning rate among its defaults; give `lr` to torch.optim.Optimizer")
    if recorded:
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(float(optimizer.defaults["lr"]), device=_device_of(group))
    return optimizer


def made_by(factory: Callable[..., Optimizer] | None) -> MakeOptimizer | None:
    """Return what makes the optimiser of a component that an evaluator's parameter names; None: it names none."""
    return None if factory is None else lambda groups, recorded: factory(groups=groups, recorded=recorded)


def make_schedule(settings: Mapping[str, Any]) -> Schedule:
    """Return a built-in schedule: `settings` has its name and its parameters."""
    values = {name: value for name, value in settings.items() if name != "name"}
    return _SCHEDULES[settings["name"]](**values)


def _device_of(group: Mapping[str, Any]) -> torch.device | None:
    device: torch.device | None = next((parameter.device for parameter in group["params"]), None)
    return device


def set_learning_rate(optimizer: Optimizer, lr: float) -> None:
    """Set the learning rate of every group, times its ``lr_scale``; one with ``constant_lr`` keeps the optimiser's."""
    for group in optimizer.param_groups:
        rate = (optimizer.defaults["lr"] if group.get("constant_lr") else lr) * group.get("lr_scale", 1.0)
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate
