"""Noise: normal and in proportion to the value, black and white values, few photons."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op

_HALF_STEP = 2.0**-25
"""Half of the step between two uniform numbers: their middle is never 0 or 1, where quantiles are infinite."""


class _EachValue(Op):
    """An op that needs a uniform number for each value of an image."""

    def draws(self, channels: int, height: int, width: int) -> int:
        """Return one number for each value."""
        return channels * height * width


class SpeckleNoise(_EachValue):
    """Add to every value normal noise in proportion to it: ``x + x e``.

    Args:
        std: standard deviation of e.
    """

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Add noise to (B, C, H, W) images and clamp."""
        normal = (2 * (uniforms.view(images.shape) + _HALF_STEP) - 1).erfinv() * math.sqrt(2)
        return (images * (1 + self.std * normal)).clamp_(0, 1)


class ImpulseNoise(_EachValue):
    """Make a share of the values black or white, both equally often (salt and pepper).

    Args:
        share: of the values, from 0 to 1.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Change values of (B, C, H, W) images."""
        drawn = uniforms.view(images.shape)
        black, changed = drawn < self.share / 2, drawn < self.share
        return images.masked_fill(changed, 1.0).masked_fill_(black, 0.0)


class ShotNoise(_EachValue):
    """Count photons: a value x becomes a Poisson number of mean x times `photons`, divided by it.

    The number is the quantile of the Poisson distribution at the uniform number.

    Args:
        photons: of a white value, 1 to 200.
    """

    def __init__(self, photons: float) -> None:
        super().__init__()
        self.photons = photons

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Count the photons of (B, C, H, W) images and clamp."""
        mean, drawn = images.double() * self.photons, uniforms.view(images.shape).double()
        term = (-mean).exp()
        below, count = term.clone(), torch.zeros_like(mean)
        for number in range(1, math.ceil(self.photons) + 1):  # a larger number is clamped to white
            count += drawn >= below
            term = term.mul_(mean).div_(number)
            below += term
        return (count / self.photons).clamp_(0, 1).to(images.dtype)
