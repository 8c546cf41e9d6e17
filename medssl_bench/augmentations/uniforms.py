"""Uniform numbers drawn on the device by counter: a key, an image and a column give a number, whatever came before.

The generator is SplitMix64 (Steele, Lea and Flood 2014), whose n-th output is a mix of ``key + n * gamma``; it needs
no state, so resuming, graph capture and another worker give the same numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor

_GAMMA = -0x61C8864680B583EB  # 0x9E3779B97F4A7C15 as a signed 64-bit number
_MIX_1 = -0x40A7B892E31B1A47  # 0xBF58476D1CE4E5B9
_MIX_2 = -0x6B2FB644ECCEEE15  # 0x94D049BB133111EB


def uniforms(key: int | Tensor, count: int, columns: Tensor) -> Tensor:
    """Return uniform numbers.

    Args:
        key: seed of the view, in [0, 2**63): a number, or a scalar int64 tensor on the device of `columns`.
        count: number of images B.
        columns: (K,) int64; each op and each of its parameters has a number of its own, so that adding an op
            does not change the numbers of the others.

    Returns:
        (B, K) float32 in [0, 1) on the device of `columns`, with 24 random bits.
    """
    seeds = _mix(columns ^ key)
    counters = torch.arange(1, count + 1, dtype=torch.int64, device=columns.device)
    bits = _mix(seeds[None, :] + counters[:, None] * _GAMMA)
    return _logical_shift(bits, 40).to(torch.float32) * 2.0**-24


def _mix(bits: Tensor) -> Tensor:
    """Return SplitMix64's output function; int64 products wrap around, as the algorithm wants."""
    bits = (bits ^ _logical_shift(bits, 30)) * _MIX_1
    bits = (bits ^ _logical_shift(bits, 27)) * _MIX_2
    return bits ^ _logical_shift(bits, 31)


def _logical_shift(bits: Tensor, places: int) -> Tensor:
    """Shift right, filling with zeros (torch's int64 shift repeats the sign)."""
    return (bits >> places) & ((1 << (64 - places)) - 1)
