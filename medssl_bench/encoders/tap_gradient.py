"""The weight gradient of a 3x3 convolution, tap by tap, without the products that multiply padding."""

from __future__ import annotations

import torch
from torch import Tensor


def tap_gradient(gradient: Tensor, images: Tensor, stride: int, dtype: torch.dtype) -> Tensor:
    """Return the gradient of the kernel of a 3x3 convolution with padding 1.

    Each tap's is one product, over the pixels that it connects; a tap that only ever meets padding has none.

    Args:
        gradient: of the convolution's result, (B, C_out, H', W').
        images: what was convolved, (B, C_in, H, W).
        stride: 1 or 2.
        dtype: of the result.

    Returns:
        (C_out, C_in, 3, 3), channels last in memory.
    """
    out, seen = gradient.permute(0, 2, 3, 1), images.permute(0, 2, 3, 1)
    found = out.new_zeros((out.shape[3], 3, 3, seen.shape[3]), dtype=dtype)
    for row in range(3):
        for column in range(3):
            to_y, from_y = _reach(row, stride, seen.shape[1], out.shape[1])
            to_x, from_x = _reach(column, stride, seen.shape[2], out.shape[2])
            ahead = out[:, to_y, to_x].reshape(-1, out.shape[3])
            if len(ahead):
                found[:, row, column] = ahead.T @ seen[:, from_y, from_x].reshape(-1, seen.shape[3])
    return found.permute(0, 3, 1, 2)


def _reach(tap: int, stride: int, length: int, out: int) -> tuple[slice, slice]:
    """Return which pixels of the result a tap (0 to 2) has a pixel for, and which ones these are."""
    first = -(-max(0, 1 - tap) // stride)
    last = min(out - 1, (length - tap) // stride)
    if last < first:
        return slice(0), slice(0)
    return slice(first, last + 1), slice(first * stride + tap - 1, last * stride + tap, stride)
