"""The moving average of a network, as momentum encoders and teachers are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

from medssl_bench.methods import Progress

Network = TypeVar("Network", bound=nn.Module)


def average_of(network: Network) -> Network:
    """Return a copy of a network that begins as its moving average: without gradients, so no optimiser moves it."""
    return deepcopy(network).requires_grad_(requires_grad=False)


@torch.no_grad()
def move(average: Iterable[nn.Module], current: Iterable[nn.Module], momentum: float) -> None:
    """Move averages towards networks: ``average = momentum * average + (1 - momentum) * current``.

    Parameters alone are averaged: the statistics of batch normalisation move by themselves, as averages are used in
    training mode.

    Args:
        average: made by `average_of`.
        current: the networks that are trained, in the same order.
        momentum: in [0, 1]; 1 never moves the average, 0 makes it a copy.
    """
    averages: list[Tensor] = [parameter for network in average for parameter in network.parameters()]
    trained: list[Tensor] = [parameter for network in current for parameter in network.parameters()]
    torch._foreach_lerp_(averages, trained, 1 - momentum)


def momentum_at(first: float, last: float, progress: Progress) -> float:
    """Return a momentum that changes by a half cosine (Grill et al. 2020, sec. 3.2): late averages move less.

    Args:
        first: at the first step.
        last: at the end of the training.
        progress: of the step that was done.
    """
    return last - (last - first) * (math.cos(math.pi * progress.fraction) + 1) / 2
