"""Brings images to what a network was trained to see: its size, and its mean and standard deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from medssl_bench.errors import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medssl_bench.encoders.input_fit import InputFit


class Prepared(nn.Module):
    """Images (B, 3, H, W) in [0, 1] to (B, 3, size, size), normalised.

    Args:
        fit: to which size, and how.
        mean: one number, or one for each channel.
        std: standard deviation, as `mean`.

    Raises:
        StageError: mean and deviation are not of one or three numbers, or a deviation is not above 0 and at most 1.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, fit: InputFit, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if not _are_numbers(mean) or not _are_numbers(std) or not 0 < min(std) <= max(std) <= 1 or max(mean) > 1:
            needed = "one or three numbers are needed for each, of pixels in [0, 1], and std above 0, at most 1"
            raise StageError(f"mean = {mean!r} and std = {std!r}: {needed}")
        self.fit = fit
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the images as the network takes them."""
        return self.fit.padded((self.fit.resized(images) - self.mean) / self.std)


def _are_numbers(found: object) -> bool:
    """Return whether something, which a configuration says, is a number for all channels, or one for each."""
    if not isinstance(found, list | tuple):
        return False
    return len(found) in {1, 3} and all(isinstance(each, int | float) for each in found)
