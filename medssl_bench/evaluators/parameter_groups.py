"""The parameters of a fine-tuning in groups: which rate each has, and whether weight decay acts on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from timm.models import group_parameters
from torch import nn
from torch.optim import Optimizer

from medssl_bench.errors import StageError
from medssl_bench.evaluators.finetune_settings import FineTuneSettings
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


def layer_depths(encoder: nn.Module) -> dict[str, int]:
    """Return how many layers below the head each parameter of an encoder is, by name; 1 for the last layer.

    The layers are those that timm knows of its models: the stem, then each block of a ViT, or each stage of another
    model. A normalisation behind the last block belongs to it; what comes after that, such as a normalisation after
    pooling, is 0 below the head.

    Args:
        encoder: a module that has timm's ``group_matcher``, or whose ``backbone`` has it.

    Raises:
        StageError: it has none.
    """
    prefix, network = next(_networks(encoder), ("", None))
    if network is None:
        raise StageError(
            f"layer_decay needs an encoder whose layers are known, and {type(encoder).__name__} does not say them; "
            "leave layer_decay out, or give the encoder timm's method group_matcher(coarse)"
        )
    layers = group_parameters(_WithHead(network), network.group_matcher(coarse=True), reverse=True)
    top = layers.pop(_HEAD)
    return {f"{prefix}{name}": top - layer for name, layer in layers.items()}


_HEAD = "the head"


class _WithHead:
    """The parameters of a network, and one that no pattern knows: so a head is grouped with what follows the layers."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def named_parameters(self) -> Iterator[tuple[str, object]]:
        """Yield names with their parameters."""
        yield from self._network.named_parameters()
        yield _HEAD, None


def _networks(encoder: nn.Module) -> Iterator[tuple[str, Any]]:
    """Yield the module that knows its layers, with what names of its parameters begin with."""
    if hasattr(encoder, "group_matcher"):
        yield "", encoder
    if hasattr(backbone := getattr(encoder, "backbone", None), "group_matcher"):
        yield "backbone.", backbone


def _without_decay(model: nn.Module) -> set[int]:
    """Return the identities of biases, of parameters of normalisations, and of what a timm model says is as these."""
    found = {id(each) for name, each in model.named_parameters() if each.ndim <= 1 or name.endswith(".bias")}
    for module in model.modules():
        names: Any = getattr(module, "no_weight_decay", set)  # timm's models have it as a method
        told = names()
        found |= {id(each) for name, each in module.named_parameters() if name in told}
    return found
