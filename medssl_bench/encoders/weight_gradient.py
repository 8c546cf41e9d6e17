"""The weight gradient of a 3x3 convolution in bfloat16 on the processor, where the library's own is slow.

It is one product for each tap, or one product for all of them: what is faster depends on whether the processor has
units for matrices (AMX), which the library's own gradient hardly uses on small maps.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

_STRIDED = 16
"""Largest side of a map at which the library's gradient of a strided convolution loses to others."""

_PLAIN = 5
"""The same of stride 1, with units for matrices; without them it does not lose."""

_WIDE = 256
"""Channels from which the products of single taps are large enough for units for matrices."""


@cache
def has_matrix_units() -> bool:
    """Return whether the processor multiplies matrices of bfloat16 in units of their own (AMX)."""
    # older releases of torch do not tell
    tell: Callable[[], dict[str, object]] = getattr(torch.cpu, "get_capabilities", dict)
    return bool(tell().get("amx_bf16", False))


def beats_the_library(height: int, width: int, stride: int) -> bool:
    """Return whether `weight_gradient` is faster than the library's on maps of a size, in bfloat16 on the processor."""
    return max(height, width) <= (_STRIDED if stride > 1 else _PLAIN if has_matrix_units() else 0)


def weight_gradient(gradient: Tensor, images: Tensor, stride: int, dtype: torch.dtype) -> Tensor:
    """Return the gradient of the kernel of a 3x3 convolution with padding 1, in the faster way; see `tap_gradient`."""
    columns = has_matrix_units() and images.shape[1] < _WIDE
    return (column_gradient if columns else tap_gradient)(gradient, images, stride, dtype)


def column_gradient(gradient: Tensor, images: Tensor, stride: int, dtype: torch.dtype) -> Tensor:
    """Return what `tap_gradient` returns, as one product: every pixel of the result beside the nine that it saw."""
    count, channels, height, width = images.shape
    out = gradient.permute(0, 2, 3, 1)
    padded = images.new_zeros((count, height + 2, width + 2, channels))
    padded[:, 1:-1, 1:-1] = images.permute(0, 2, 3, 1)
    image, row, column, _ = padded.stride()
    seen = padded.as_strided(
        (*out.shape[:3], 3, 3, channels), (image, stride * row, stride * column, row, column, 1)
    ).reshape(-1, 9 * channels)
    taps = (seen.T @ out.reshape(-1, out.shape[3])).view(3, 3, channels, out.shape[3])
    found = taps.new_empty((out.shape[3], 3, 3, channels), dtype=dtype)
    return found.copy_(taps.permute(3, 0, 1, 2)).permute(0, 3, 1, 2)


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
