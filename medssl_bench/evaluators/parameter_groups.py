"""The parameters of a fine-tuning in groups: which rate each has, and whether weight decay acts on it."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer

from medssl_bench.evaluators.finetune_settings import FineTuneSettings
from medssl_bench.evaluators.layer_depths import layer_depths
from medssl_bench.training.schedule import Constant, Schedule

Group = dict[str, Any]


def parameter_groups(model: nn.Sequential, settings: FineTuneSettings) -> list[Group]:
    """Return the groups of an encoder and its head, for `medssl_bench.training.optimizer.make_optimizer`.

    The head has the optimiser's rate. A parameter of the encoder has it times ``layer_decay ** d``, where d counts the
    layers from the head down: 1 for the last (BEiT, Bao et al. 2022, app. H).

    Args:
        model: an encoder and a head.
        settings: how.

    Raises:
        StageError: the layers of the encoder are not known, and they should have rates of their own.
    """
    if settings.has_one_group:
        return [{"params": list(model.parameters())}]
    encoder, head = model
    depths = layer_depths(encoder) if settings.layer_decay != 1 else {}
    spared = _without_decay(model) if settings.decays == "weights" else set()
    groups: dict[tuple[bool, int, bool], Group] = {}
    for module in (encoder, head):
        for name, parameter in module.named_parameters():
            is_encoder = module is encoder
            depth = depths.get(name, 0) if is_encoder else 0
            found = groups.setdefault(
                (is_encoder, depth, id(parameter) in spared),
                {"params": [], "is_encoder": is_encoder, "lr_scale": settings.layer_decay**depth},
            )
            if id(parameter) in spared:
                found["weight_decay"] = 0.0
            found["params"].append(parameter)
    return list(groups.values())


def set_encoder_rate(optimizer: Optimizer, encoder_lr: float | None) -> None:
    """Give the encoder's groups a learning rate of their own, below which layers may have lower ones.

    Args:
        optimizer: of `parameter_groups`.
        encoder_lr: that rate; None: the optimiser's.
    """
    if encoder_lr is None:
        return
    for group in optimizer.param_groups:
        if group["is_encoder"]:
            group["lr_scale"] *= encoder_lr / optimizer.defaults["lr"]


def schedule_of(settings: FineTuneSettings) -> Schedule | None:
    """Return the schedule of a fine-tuning, by which groups get their rates; None: the optimiser sets them alone."""
    if settings.schedule is not None:
        found: Schedule = settings.schedule()
        return found
    return None if settings.has_one_group else Constant()


def _without_decay(model: nn.Module) -> set[int]:
    """Return the identities of biases, of parameters of normalisations, and of what a timm model says is as these."""
    found = {id(each) for name, each in model.named_parameters() if each.ndim <= 1 or name.endswith(".bias")}
    for module in model.modules():
        names: Any = getattr(module, "no_weight_decay", set)  # timm's models have it as a method
        told = names()
        found |= {id(each) for name, each in module.named_parameters() if name in told}
    return found
