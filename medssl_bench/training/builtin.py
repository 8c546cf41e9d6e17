"""The built-in optimisers and schedules. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.plugin.parameters import InDuration

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from medssl_bench.plugin.registry import Register
    from medssl_bench.training.schedule import Schedule

Groups = list[dict[str, Any]]
Rate = Annotated[float, Field(gt=0)]
Decay = Annotated[float, Field(ge=0)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Minimum = Annotated[float, Field(ge=0)]
Period = Annotated[int | None, Field(ge=1), InDuration(least=1)]
Warmup = Annotated[int, Field(ge=0), InDuration(least=0)]


@hookimpl
def medssl_optimizers(register: Register) -> None:
    """Register the optimisers that come with the harness."""
    register("adamw", adamw)
    register("adam", adam)
    register("sgd", sgd)


@hookimpl
def medssl_schedules(register: Register) -> None:
    """Register the schedules that come with the harness."""
    register("cosine", cosine)
    register("constant", constant)


def adamw(
    groups: Groups,
    recorded: bool,
    *,
    lr: Rate = 5e-4,
    weight_decay: Decay = 1e-4,
    momentum: Momentum = 0.9,  # noqa: ARG001 - of sgd
) -> Optimizer:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    Args:
        groups: parameter groups.
        recorded: whether steps are recorded in a CUDA graph.
        lr: learning rate.
        weight_decay: decoupled weight decay.
        momentum: of sgd; adamw ignores it.
    """
    from medssl_bench.training.fused import FusedAdamW

    return FusedAdamW(groups, lr=lr, weight_decay=weight_decay, fused=True, capturable=recorded)


def adam(
    groups: Groups,
    recorded: bool,
    *,
    lr: Rate = 5e-4,
    weight_decay: Decay = 1e-4,
    momentum: Momentum = 0.9,  # noqa: ARG001 - of sgd
) -> Optimizer:
    """Adam (Kingma and Ba 2015).

    Args:
        groups: parameter groups.
        recorded: whether steps are recorded in a CUDA graph.
        lr: learning rate.
        weight_decay: weight decay, in the gradient.
        momentum: of sgd; adam ignores it.
    """
    from medssl_bench.training.fused import FusedAdam

    return FusedAdam(groups, lr=lr, weight_decay=weight_decay, fused=True, capturable=recorded)


def sgd(
    groups: Groups,
    recorded: bool,
    *,
    lr: Rate = 5e-4,
    weight_decay: Decay = 1e-4,
    momentum: Momentum = 0.9,
) -> Optimizer:
    """Stochastic gradient descent with momentum.

    Args:
        groups: parameter groups.
        recorded: whether steps are recorded in a CUDA graph.
        lr: learning rate.
        weight_decay: weight decay, in the gradient.
        momentum: momentum.
    """
    from torch.optim import SGD

    return SGD(groups, lr=lr, weight_decay=weight_decay, momentum=momentum, fused=recorded or None)


def cosine(*, minimum: Minimum = 1e-5, period: Period = None, warmup: Warmup = 0) -> Schedule:
    """Cosine annealing without restarts (Loshchilov and Hutter 2017).

    Args:
        minimum: learning rate at the end of the cosine's half period.
        period: half period of the cosine, in the duration's unit; past it the rate climbs again; none: all of it.
        warmup: linear rise from 0 before the schedule starts, in the duration's unit.
    """
    from medssl_bench.training.schedule import Cosine

    return Cosine(minimum, period, warmup)


def constant(*, minimum: Minimum = 1e-5, period: Period = None, warmup: Warmup = 0) -> Schedule:  # noqa: ARG001
    """One learning rate, after a linear rise if one is wanted.

    Args:
        minimum: of cosine; constant ignores it.
        period: of cosine; constant ignores it.
        warmup: linear rise from 0 before the schedule starts, in the duration's unit.
    """
    from medssl_bench.training.schedule import Constant

    return Constant(warmup)
