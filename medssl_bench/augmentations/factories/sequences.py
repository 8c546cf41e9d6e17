"""Factories of the built-in augmentations. Importing this module imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from medssl_bench.augmentations.ranges import FractionLimits, Probability
from medssl_bench.plugin.parameters import Components

if TYPE_CHECKING:
    from medssl_bench.augmentations.sequence import Sequence


def sequence(size: int, *, ops: Annotated[list[Any], Components("op")]) -> Sequence:
    """The ops of a list, one after the other; a suite's list of ops is short for this.

    What the ops leave in another size than the view's is resized at the end.

    Args:
        ops: names or tables of ops.
    """
    from medssl_bench.augmentations.ops import Resize
    from medssl_bench.augmentations.sequence import Sequence

    return Sequence([*ops, Resize(size)], size)


def plain(size: int) -> Sequence:
    """The image itself, resized to the view's size."""
    from medssl_bench.augmentations.ops import Resize
    from medssl_bench.augmentations.sequence import Sequence

    return Sequence([Resize(size)], size)


def simclr(
    size: int,
    *,
    strength: Annotated[float, Field(ge=0, le=2.5)] = 1.0,
    crop_scale: FractionLimits = (0.08, 1.0),
    flip_p: Probability = 0.5,
    jitter_p: Probability = 0.8,
    grayscale_p: Probability = 0.2,
    blur_p: Probability = 0.5,
) -> Sequence:
    """SimCLR's augmentation (Chen et al. 2020, appendix A): crop, flip, colour distortion, grey, blur.

    The blur's kernel covers a tenth of the side (rounded up to an odd number of pixels, 3 at least), its standard
    deviation is uniform in [0.1, 2].

    Args:
        strength: of the colour distortion: brightness, contrast and saturation change by up to 0.8 times, the hue by
            up to 0.2 turns times this, in a random order.
        crop_scale: least and largest part of the image's area that is kept.
        flip_p: probability of mirroring left to right.
        jitter_p: probability of the colour distortion.
        grayscale_p: probability of making an image grey, by luma.
        blur_p: probability of the blur; the paper uses none on CIFAR's 32 pixels.
    """
    from medssl_bench.augmentations.ops import ColorJitter, GaussianBlur, Grayscale, HorizontalFlip, ResizedCrop
    from medssl_bench.augmentations.sequence import Sequence

    factor = (max(0.0, 1 - 0.8 * strength), 1 + 0.8 * strength)
    hue = (-0.2 * strength, 0.2 * strength)
    return Sequence(
        [
            ResizedCrop(size, crop_scale),
            HorizontalFlip(flip_p),
            ColorJitter(factor, factor, factor, hue, order="random", p=jitter_p),
            Grayscale(grayscale_p, "luma"),
            GaussianBlur(max(3, size // 10 // 2 * 2 + 1), p=blur_p),
        ],
        size,
    )
