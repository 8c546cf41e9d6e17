"""Convolutions on small maps, without the taps that read only padding and the pixels that no tap reads.

At 28 pixels the last two stages of a ResNet see maps of 2x2 and 1x1. There a padded 3x3 convolution multiplies mostly
zeros: on 1x1 it *is* a linear layer by its centre tap, on 2x2 one dense product of 4 C_in by 4 C_out. A 1x1 convolution
of stride 2 is a linear layer on every other pixel. Parameters, state dict, outputs and gradients are those of the
ordinary convolution.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.grad import conv2d_input

from medssl_bench.encoders.weight_gradient import beats_the_library, weight_gradient

_DENSE = 2
"""Largest side of a map on which a 3x3 convolution is one dense product: each pixel is within reach of each other."""


class SmallMapConv2d(nn.Conv2d):
    """A convolution with a kernel of 1x1 or 3x3, padded by half of it, that takes the shortest way on small maps."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Conv2d gives it
        """Return the convolution of (B, C_in, H, W)."""
        height, width = input.shape[-2:]
        stride, kind = int(self.stride[0]), input.device.type
        if self.kernel_size == (1, 1):
            return _as_map(F.linear(input[:, :, ::stride, ::stride].permute(0, 2, 3, 1), self.weight[:, :, 0, 0]))
        # autocast does not reach into a function with a backward of its own
        cast = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
        dtype = torch.get_autocast_dtype(kind) if cast else input.dtype
        if max(height, width) <= _DENSE:
            return _call(_Dense, input.to(dtype), self.weight, stride)
        low = kind == "cpu" and dtype == torch.bfloat16
        if low and self.weight.requires_grad and beats_the_library(height, width, stride):
            return _call(_Padded, input.to(dtype), self.weight, stride)
        return super().forward(input)


def use_small_map_convolutions(model: nn.Module) -> int:
    """Let the convolutions of a model that qualify use `SmallMapConv2d`; return how many there are.

    Those that do not qualify (grouped, dilated, biased, unpadded, other kernels, 1x1 of stride 1) stay as they are.
    """
    changed = 0
    for module in model.modules():
        if type(module) is nn.Conv2d and _qualifies(module):
            module.__class__ = SmallMapConv2d
            changed += 1
    return changed


def _qualifies(convolution: nn.Conv2d) -> bool:
    kind = (convolution.kernel_size, convolution.padding, convolution.stride)
    return (
        kind in {((3, 3), (1, 1), (1, 1)), ((3, 3), (1, 1), (2, 2)), ((1, 1), (0, 0), (2, 2))}
        and convolution.padding_mode == "zeros"
        and convolution.dilation == (1, 1)
        and convolution.groups == 1
        and convolution.bias is None
    )


def _call(function: type[torch.autograd.Function], images: Tensor, weight: Tensor, stride: int) -> Tensor:
    result: Tensor = function.apply(images, weight, stride)
    return result


class _Dense(torch.autograd.Function):
    """A 3x3 convolution on a map of at most 2x2 pixels; the weight keeps its own type, and so does its gradient."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: int) -> Tensor:
        height, width = -(-images.shape[2] // stride), -(-images.shape[3] // stride)
        matrix = _dense_matrix(weight, images.shape[2:], (height, width), stride, images.dtype)
        ctx.save_for_backward(images, matrix)
        ctx.stride, ctx.weight_type = stride, weight.dtype
        # pixels before channels: a view where the map is channels-last
        return _as_map((_flat(images) @ matrix.T).view(len(images), height, width, len(weight)))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        images, matrix = ctx.saved_tensors
        of_images = of_weight = None
        if ctx.needs_input_grad[0]:
            count, channels, height, width = images.shape
            of_images = _as_map((_flat(gradient) @ matrix).view(count, height, width, channels))
        if ctx.needs_input_grad[1]:
            blocks = (_flat(gradient).T @ _flat(images)).view(-1, gradient.shape[1], *images.shape[2:], images.shape[1])
            taps = blocks.new_zeros((gradient.shape[1], 3, 3, images.shape[1]), dtype=ctx.weight_type)
            for pixel, block in enumerate(blocks):
                _reached(taps, pixel, images.shape[2:], gradient.shape[3], ctx.stride).add_(block)
            of_weight = taps.permute(0, 3, 1, 2)
        return of_images, of_weight, None


class _Padded(torch.autograd.Function):
    """A 3x3 convolution by the library, but for its weight gradient."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, stride: int) -> Tensor:
        weight_type, weight = weight.dtype, weight.to(images.dtype)
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.weight_type = stride, weight_type
        return torch.conv2d(images, weight, stride=stride, padding=1)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        images, weight = ctx.saved_tensors
        of_images = of_weight = None
        if ctx.needs_input_grad[0]:
            of_images = conv2d_input(images.shape, weight, gradient, ctx.stride, 1)
        if ctx.needs_input_grad[1]:
            of_weight = weight_gradient(gradient, images, ctx.stride, ctx.weight_type)
        return of_images, of_weight, None


def _as_map(pixels: Tensor) -> Tensor:
    """Return (B, H, W, C) as (B, C, H, W).

    A map of one pixel gets the strides that torch gives it: batch normalisation is five times slower where those of its
    input and its gradient differ.
    """
    maps = pixels.permute(0, 3, 1, 2)
    return maps.reshape(maps.shape[:2]).view(maps.shape) if maps.shape[2:] == (1, 1) else maps


def _flat(images: Tensor) -> Tensor:
    """Return (B, C, H, W) as (B, H W C)."""
    return images.permute(0, 2, 3, 1).flatten(1)


def _dense_matrix(
    weight: Tensor, size: tuple[int, ...], out: tuple[int, int], stride: int, dtype: torch.dtype
) -> Tensor:
    """Return the matrix of the convolution, (pixels out x C_out, pixels in x C_in)."""
    channels_out, channels_in = weight.shape[:2]
    taps = weight.permute(0, 2, 3, 1)
    matrix = weight.new_empty((out[0] * out[1], channels_out, *size, channels_in), dtype=dtype)
    for pixel, rows in enumerate(matrix):
        rows.copy_(_reached(taps, pixel, size, out[1], stride))
    return matrix.view(out[0] * out[1] * channels_out, -1)


def _reached(taps: Tensor, pixel: int, size: tuple[int, ...], width: int, stride: int) -> Tensor:
    """Return the taps by which a pixel of the result sees each pixel of a map, a view of (C_out, H, W, C_in).

    The tap between two pixels is their distance; on maps this small every pixel is within reach of every other.

    Args:
        taps: (C_out, 3, 3, C_in).
        pixel: number of the pixel in the result, row by row.
        size: height and width of the map.
        width: of the result.
        stride: of the convolution.
    """
    top, left = (1 - stride * place for place in divmod(pixel, width))
    return taps[:, top : top + size[0], left : left + size[1]]
