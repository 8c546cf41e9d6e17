"""Change the energy of frequency bands: the augmentation of Ghesu et al. (2022) for radiographs of many devices."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from medssl_bench.augmentations.op import Op, scale
from medssl_bench.augmentations.ops.separable import separable

_LEAST = 1e-3
"""Energy below which a band counts as empty: it is not blown up to that of the reference."""


class EnergyBands(Op):
    """Multiply each frequency band by a factor, and leave what is smoother than all of them.

    Bands are differences of Gaussians: the image less its first blur, then each blur less the next.

    Args:
        sigmas: standard deviations of the blurs in pixels, rising.
        strength: s; the factor of a band is ``exp(u)`` with u uniform in [-s, s]; 0: no change.
        reference: energy that each band is first brought to; None: its own.
        p: probability with which an image is changed.
    """

    reference: Tensor | None

    def __init__(
        self, sigmas: Sequence[float], strength: float, reference: Sequence[float] | None = None, *, p: float = 1.0
    ) -> None:
        super().__init__(p)
        self.sigmas = tuple(sigmas)
        self.strength = strength
        self.register_buffer("reference", None if reference is None else torch.tensor(reference), persistent=False)

    def draws(self, channels: int, height: int, width: int) -> int:  # noqa: ARG002
        """Return one for each band."""
        return len(self.sigmas)

    def transform(self, images: Tensor, uniforms: Tensor) -> Tensor:
        """Change (B, C, H, W) images, all channels by the same factors."""
        split, smooth = bands(images, self.sigmas)
        factors = scale(uniforms, -self.strength, self.strength).exp()
        if self.reference is not None:
            factors = factors * self.reference / energies(split).clamp(min=_LEAST)
        return (smooth + (factors.T[:, :, None, None, None] * split).sum(dim=0)).clamp(0, 1)


def bands(images: Tensor, sigmas: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Return the frequency bands of images, and what is smoother; their sum is the images.

    Args:
        images: (B, C, H, W) in [0, 1].
        sigmas: standard deviations of the Gaussians in pixels, rising.

    Returns:
        (bands, B, C, H, W), and (B, C, H, W).
    """
    height, width = images.shape[-2:]
    levels = [images]
    for sigma in sigmas:
        rows, columns = (_gaussian(side, sigma, images).expand(len(images), -1, -1) for side in (height, width))
        levels.append(separable(images, rows, columns))
    stacked = torch.stack(levels)
    return stacked[:-1] - stacked[1:], stacked[-1]


def energies(split: Tensor) -> Tensor:
    """Return the energy of each band of each image, its standard deviation over channels and pixels.

    The mean over images that are to be the reference is what ``reference`` takes.

    Args:
        split: (bands, B, C, H, W).

    Returns:
        (B, bands).
    """
    return split.flatten(2).std(dim=2, correction=0).T


def _gaussian(length: int, sigma: float, like: Tensor) -> Tensor:
    """Return the blur of a line of pixels with a reflected border as a matrix, (`length`, `length`)."""
    reach = int(4 * sigma + 0.5)
    offsets = torch.arange(-reach, reach + 1, device=like.device)
    taps = (-0.5 * (offsets / sigma) ** 2).exp()
    pixels = torch.arange(length, device=like.device)
    period = max(2 * (length - 1), 1)
    reached = (pixels[:, None] + offsets).remainder(period)
    reached = torch.minimum(reached, period - reached) if length > 1 else torch.zeros_like(reached)
    shares = (reached[:, :, None] == pixels).to(like.dtype) * (taps / taps.sum()).to(like.dtype)[:, None]
    return shares.sum(dim=1)
