"""Corrupts the test images of a data set: the same images for every arm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from medssl_bench.augmentations.corruptions.blur import DefocusBlur, MotionBlur
from medssl_bench.augmentations.corruptions.catalogue import parameters
from medssl_bench.augmentations.corruptions.digital import JpegCompression, Pixelate, Saturate
from medssl_bench.augmentations.corruptions.noise import ImpulseNoise, ShotNoise, SpeckleNoise
from medssl_bench.augmentations.corruptions.spots import Bubble, StainDeposit
from medssl_bench.augmentations.op import Op
from medssl_bench.augmentations.ops import ColorJitter, Gamma, GaussianBlur, GaussianNoise
from medssl_bench.augmentations.sequence import Sequence
from medssl_bench.randomness import stream

_AT_ONCE = 512
"""Images that have a random stream together; a part of what decides the corrupted images."""


def corrupted(images: NDArray[np.uint8], name: str, severity: int) -> NDArray[np.uint8]:
    """Return corrupted images. The corruption, the severity and the place of an image decide what chance does to it.

    Args:
        images: (N, S, S) grey or (N, S, S, 3) colour ones.
        name: of the corruption.
        severity: from 1 to 5.

    Returns:
        Images of the same shape.
    """
    (value,) = parameters(name, [severity])
    side = images.shape[1]
    sequence = Sequence([_MAKERS[name](value, side)], side)
    found = np.empty_like(images)
    for number, start in enumerate(range(0, len(images), _AT_ONCE)):
        part = torch.from_numpy(np.array(images[start : start + _AT_ONCE])).float() / 255
        batch = part[:, None] if part.ndim == 3 else part.permute(0, 3, 1, 2)
        view = sequence.view(batch, stream("corruption", name=name, severity=severity, batch=number))
        values = (view * 255).round().clamp(0, 255).to(torch.uint8)
        found[start : start + _AT_ONCE] = (values[:, 0] if part.ndim == 3 else values.permute(0, 2, 3, 1)).numpy()
    return found


def _gaussian_blur(value: float, side: int) -> Op:
    sigma = value * side
    reach = min(side - 1, max(1, round(4 * sigma)))
    return GaussianBlur(2 * reach + 1, (sigma, sigma))


_MAKERS: dict[str, Callable[[float, int], Op]] = {
    "pixelate": lambda value, _side: Pixelate(value),
    "jpeg_compression": lambda value, _side: JpegCompression(int(value)),
    "gaussian_noise": lambda value, _side: GaussianNoise((value, value)),
    "speckle_noise": lambda value, _side: SpeckleNoise(value),
    "impulse_noise": lambda value, _side: ImpulseNoise(value),
    "shot_noise": lambda value, _side: ShotNoise(value),
    "gaussian_blur": _gaussian_blur,
    "defocus_blur": lambda value, side: DefocusBlur(value * side),
    "motion_blur": lambda value, side: MotionBlur(value * side),
    "brightness_up": lambda value, _side: ColorJitter(brightness=(value, value)),
    "brightness_down": lambda value, _side: ColorJitter(brightness=(value, value)),
    "contrast_up": lambda value, _side: ColorJitter(contrast=(value, value)),
    "contrast_down": lambda value, _side: ColorJitter(contrast=(value, value)),
    "gamma_corr_up": lambda value, _side: Gamma((value, value)),
    "gamma_corr_down": lambda value, _side: Gamma((value, value)),
    "saturate": lambda value, _side: Saturate(value),
    "stain_deposit": lambda value, _side: StainDeposit(int(value)),
    "bubble": lambda value, _side: Bubble(value),
}
"""Makes the op of a corruption from its parameter and the images' side in pixels."""
