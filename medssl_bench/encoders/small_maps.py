"""3x3 convolutions on maps of 1x1 and 2x2 pixels, computed without the taps that only ever see padding.

At 28 pixels the last two stages of a ResNet see such maps. There a padded 3x3 convolution multiplies mostly zeros: on
1x1 it *is* a linear layer by its centre tap, on 2x2 one dense product of 4 C_in by 4 C_out. Parameters, state dict,
outputs and gradients are those of the ordinary convolution.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_LARGEST = 2


class SmallMapConv2d(nn.Conv2d):
    """A 3x3 convolution with padding 1 that becomes a matrix product on maps of at most 2x2 pixels."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Conv2d gives it
        """Return the convolution of (B, C_in, H, W)."""
        height, width = input.shape[-2:]
        if height > _LARGEST or width > _LARGEST:
            return super().forward(input)
        stride = int(self.stride[0])
        out_height, out_width = -(-height // stride), -(-width // stride)
        matrix = _dense(self.weight, (height, width), (out_height, out_width), stride)
        # pixels before channels: a view where the map is channels-last
        flat = input.permute(0, 2, 3, 1).flatten(1)
        product = F.linear(flat, matrix).view(len(input), out_height, out_width, self.out_channels)
        return product.permute(0, 3, 1, 2)


def use_small_map_convolutions(model: nn.Module) -> int:
    """Let the 3x3 convolutions of a model that qualify use `SmallMapConv2d`; return how many there are.

    Those that do not qualify (grouped, dilated, biased, unpadded, other kernels) stay as they are.
    """
    changed = 0
    for module in model.modules():
        if type(module) is nn.Conv2d and _qualifies(module):
            module.__class__ = SmallMapConv2d
            changed += 1
    return changed


def _qualifies(convolution: nn.Conv2d) -> bool:
    return (
        convolution.kernel_size == (3, 3)
        and convolution.padding == (1, 1)
        and convolution.padding_mode == "zeros"
        and convolution.dilation == (1, 1)
        and convolution.groups == 1
        and convolution.bias is None
        and convolution.stride in {(1, 1), (2, 2)}
    )


def _dense(weight: Tensor, size: tuple[int, int], out: tuple[int, int], stride: int) -> Tensor:
    """Return the matrix of the convolution, (pixels out x C_out, pixels in x C_in).

    The tap between two pixels is their distance; on maps this small every pixel is within reach of every other.
    """
    if size == (1, 1):
        return weight[:, :, 1, 1]
    channels_out, channels_in = weight.shape[:2]
    pixels_out, pixels_in = out[0] * out[1], size[0] * size[1]
    chosen = weight.flatten(2)[:, :, _taps(size, out, stride, weight.device)]
    blocks = chosen.view(channels_out, channels_in, pixels_out, pixels_in)
    return blocks.permute(2, 0, 3, 1).reshape(pixels_out * channels_out, -1)


@lru_cache(maxsize=64)
def _taps(size: tuple[int, int], out: tuple[int, int], stride: int, device: torch.device) -> Tensor:
    """Return, for each pixel out and pixel in, the place of the tap between them in a flattened 3x3 kernel."""
    taps = [
        (y - stride * to_y + 1) * 3 + (x - stride * to_x + 1)
        for to_y in range(out[0])
        for to_x in range(out[1])
        for y in range(size[0])
        for x in range(size[1])
    ]
    return torch.tensor(taps, device=device)
