"""The built-in optimisers and schedules. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl
from medssl_bench.training.schedule import Constant, Cosine, Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch.optim import Optimizer

    from medssl_bench.plugin.registry import Register

    Decays = Callable[..., None]

Groups = list[dict[str, Any]]
Rate = Annotated[float, Field(gt=0)]
Decay = Annotated[float, Field(ge=0)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Trust = Annotated[float, Field(gt=0)]


@hookimpl
def medssl_optimizers(register: Register) -> None:
    """Register the optimisers that come with the harness."""
    register("adamw", AdamW)
    register("adam", Adam)
    register("sgd", Sgd)
    register("lars", Lars)


@hookimpl
def medssl_schedules(register: Register) -> None:
    """Register the schedules that come with the harness."""
    register("cosine", Cosine)
    register("constant", Constant)
    register("steps", Steps)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the built-in optimisers take, and how their steps are recorded.

    Args:
        lr: learning rate.
        weight_decay: weight decay, in the gradient.
        momentum: of sgd and lars; the others ignore it.
        clip: largest norm of all gradients taken together, which are scaled down to it before a step; none: any.
        weight_decay_end: weight decay at the end of the training, which it reaches by half a cosine; none: it stays.
    """

    lr: Rate = 5e-4
    weight_decay: Decay = 1e-4
    momentum: Momentum = 0.9
    clip: Rate | None = None
    weight_decay_end: Decay | None = None

    def __post_init__(self) -> None:
        """Refuse a weight decay that would have no ratio to that of a group.

        Raises:
            ValueError: it starts at 0.
        """
        if self.weight_decay_end is not None and not self.weight_decay:
            raise ValueError("weight_decay_end needs a weight_decay above 0 to begin with")

    def _watched(self, optimizer: Optimizer, decay: Decays | None) -> Optimizer:
        """Return an optimiser with what happens before its steps; `decay` applies a weight decay that changes."""
        from medssl_bench.training.before_step import clip_gradients, let_decay_follow

        if self.clip is not None:
            clip_gradients(optimizer, self.clip)
        if self.weight_decay_end is not None:
            let_decay_follow(optimizer, self.weight_decay, self.weight_decay_end)
            if decay is not None:
                optimizer.register_step_pre_hook(decay)
        return optimizer


@dataclass(frozen=True, kw_only=True)
class _WithBetas(Settings):
    """Settings of Adam and AdamW.

    Args:
        betas: which part of the averages of gradients, and of their squares, stays in the next.
    """

    betas: tuple[Momentum, Momentum] = (0.9, 0.999)


@dataclass(frozen=True, kw_only=True)
class AdamW(_WithBetas):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

    Args:
        weight_decay: decoupled weight decay.
    """

    def build(self, groups: Groups, recorded: bool) -> Optimizer:
        """Make the optimiser of parameter groups; `recorded` says whether steps are recorded in a CUDA graph."""
        from medssl_bench.training.before_step import decay_weights
        from medssl_bench.training.fused import FusedAdamW

        first, second = self.betas
        options: dict[str, Any] = {"lr": self.lr, "weight_decay": self.weight_decay, "betas": (first, second)}
        return self._watched(FusedAdamW(groups, **options, fused=True, capturable=recorded), decay_weights)


@dataclass(frozen=True, kw_only=True)
class Adam(_WithBetas):
    """Adam (Kingma and Ba 2015)."""

    def build(self, groups: Groups, recorded: bool) -> Optimizer:
        """Make the optimiser; arguments as of `AdamW`."""
        from medssl_bench.training.before_step import decay_in_gradients
        from medssl_bench.training.fused import FusedAdam

        first, second = self.betas
        options: dict[str, Any] = {"lr": self.lr, "weight_decay": self.weight_decay, "betas": (first, second)}
        return self._watched(FusedAdam(groups, **options, fused=True, capturable=recorded), decay_in_gradients)


@dataclass(frozen=True, kw_only=True)
class Sgd(Settings):
    """Stochastic gradient descent with momentum.

    Args:
        momentum: part of the last change that stays in the next.
        nesterov: use the gradient behind the momentum's step (Nesterov 1983, in the form of Sutskever et al. 2013).
    """

    nesterov: bool = False

    def __post_init__(self) -> None:
        """Refuse what torch refuses.

        Raises:
            ValueError: Nesterov's momentum without momentum.
        """
        super().__post_init__()
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0")

    def build(self, groups: Groups, recorded: bool) -> Optimizer:
        """Make the optimiser; arguments as of `AdamW`."""
        from torch.optim import SGD

        from medssl_bench.training.before_step import decay_in_gradients

        options: dict[str, Any] = {"lr": self.lr, "weight_decay": self.weight_decay, "momentum": self.momentum}
        sgd = SGD(groups, **options, nesterov=self.nesterov, fused=recorded or None)
        return self._watched(sgd, decay_in_gradients)


@dataclass(frozen=True, kw_only=True)
class Lars(Settings):
    """LARS, for large batches: each weight tensor has a rate of its own (You, Gitman and Ginsburg 2017).

    Groups of parameters without weight decay, where methods put biases and normalisation, are changed as by sgd.

    Args:
        momentum: part of the last change that stays in the next.
        trust: factor of the ratio of the norms of weights and gradients.
    """

    lr: Rate = 0.3
    trust: Trust = 1e-3

    def build(self, groups: Groups, recorded: bool) -> Optimizer:  # noqa: ARG002 - it is recorded as it is
        """Make the optimiser; arguments as of `AdamW`."""
        from medssl_bench.training import lars

        options: dict[str, Any] = {"lr": self.lr, "weight_decay": self.weight_decay, "momentum": self.momentum}
        return self._watched(lars.Lars(groups, **options, trust=self.trust), None)  # it reads the decay itself
