"""The built-in optimisers and schedules. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.training.schedule import Constant, Cosine

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from medssl_bench.plugin.registry import Register

Groups = list[dict[str, Any]]
Rate = Annotated[float, Field(gt=0)]
Decay = Annotated[float, Field(ge=0)]
Momentum = Annotated[float, Field(ge=0, lt=1)]


@hookimpl
def medssl_optimizers(register: Register) -> None:
    """Register the optimisers that come with the harness."""
    register("adamw", AdamW)
    register("adam", Adam)
    register("sgd", Sgd)


@hookimpl
def medssl_schedules(register: Register) -> None:
    """Register the schedules that come with the harness."""
    register("cosine", Cosine)
    register("constant", Constant)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the built-in optimisers take, and how their steps are recorded.

    Args:
        lr: learning rate.
        weight_decay: weight decay, in the gradient.
        momentum: of sgd; the others ignore it.
    """

    lr: Rate = 5e-4
    weight_decay: Decay = 1e-4
    momentum: Momentum = 0.9


@dataclass(frozen=True, kw_only=True)
class AdamW(Settings):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    Args:
        weight_decay: decoupled weight decay.
    """

    def build(self, groups: Groups, recorded: bool) -> Optimizer:
        """Make the optimiser of parameter groups; `recorded` says whether steps are recorded in a CUDA graph."""
        from medssl_bench.training.fused import FusedAdamW

        return FusedAdamW(groups, lr=self.lr, weight_decay=self.weight_decay, fused=True, capturable=recorded)


@dataclass(frozen=True, kw_only=True)
class Adam(Settings):
    """Adam (Kingma and Ba 2015)."""

    def build(self, groups: Groups, recorded: bool) -> Optimizer:
        """Make the optimiser; arguments as of `AdamW`."""
        from medssl_bench.training.fused import FusedAdam

        return FusedAdam(groups, lr=self.lr, weight_decay=self.weight_decay, fused=True, capturable=recorded)


@dataclass(frozen=True, kw_only=True)
class Sgd(Settings):
    """Stochastic gradient descent with momentum.

    Args:
        momentum: part of the last change that stays in the next.
    """

    def build(self, groups: Groups, recorded: bool) -> Optimizer:
        """Make the optimiser; arguments as of `AdamW`."""
        from torch.optim import SGD

        decay, momentum = self.weight_decay, self.momentum
        return SGD(groups, lr=self.lr, weight_decay=decay, momentum=momentum, fused=recorded or None)
