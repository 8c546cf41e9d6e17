"""Factories of the ops that change intensities. Importing this module imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from medssl_bench.augmentations.ranges import (
    FactorLimits,
    FractionLimits,
    HueLimits,
    OddSize,
    PositiveLimits,
    Probability,
    Region,
    Strength,
)

if TYPE_CHECKING:
    from medssl_bench.augmentations.op import Op


def color_jitter(
    size: int,  # noqa: ARG001 - every op receives the size
    *,
    brightness: FactorLimits = (0.5, 1.5),
    contrast: FactorLimits = (0.5, 1.5),
    saturation: FactorLimits = (0.5, 1.5),
    hue: HueLimits = (-0.1, 0.1),
    order: Literal["fixed", "random"] = "fixed",
    p: Probability = 1.0,
) -> Op:
    """Change brightness, contrast, saturation and hue, with the meaning the factors have in torchvision.

    Args:
        brightness: least and largest factor; 1 changes nothing.
        contrast: least and largest factor.
        saturation: least and largest factor.
        hue: least and largest shift in turns, within [-0.5, 0.5].
        order: `fixed`: brightness, contrast, saturation, hue; `random`: another order for each image.
        p: probability with which an image is changed.
    """
    from medssl_bench.augmentations.ops import ColorJitter

    return ColorJitter(brightness, contrast, saturation, hue, order=order, p=p)


def grayscale(size: int, *, p: Probability = 0.2, weights: Literal["mean", "luma"] = "mean") -> Op:  # noqa: ARG001
    """Make images grey; they keep their channels.

    Args:
        p: probability with which an image is made grey.
        weights: `mean` of the channels, or `luma` of ITU-R BT.601.
    """
    from medssl_bench.augmentations.ops import Grayscale

    return Grayscale(p, weights)


def gaussian_blur(
    size: int,  # noqa: ARG001
    *,
    kernel_size: OddSize = 9,
    sigma: PositiveLimits = (0.1, 2.0),
    p: Probability = 1.0,
) -> Op:
    """Blur with a Gaussian kernel and a reflected border.

    Args:
        kernel_size: side of the kernel in pixels, odd.
        sigma: least and largest standard deviation in pixels.
        p: probability with which an image is blurred.
    """
    from medssl_bench.augmentations.ops import GaussianBlur

    return GaussianBlur(kernel_size, sigma, p=p)


def equalize(
    size: int,  # noqa: ARG001
    *,
    p: Probability = 0.5,
    rule: Literal["pillow", "equation"] = "pillow",
    strength: Strength = (1.0, 1.0),
    region: Region = (1.0, 1.0),
) -> Op:
    """Equalise the histogram of Y in YCbCr; Cb and Cr stay.

    Args:
        p: probability with which an image is equalised.
        rule: `pillow`: Pillow's YCbCr of 8 bits, ImageOps.equalize of its Y, and back, to the digit; `equation`:
            eq. (4.2) of [Jiang 2023], in which Cb and Cr are not rounded.
        strength: least and largest part of the change that is made: 0 is none, 1 all of it.
        region: least and largest area of the box that is equalised, by its own histogram, as a fraction of the
            image's; [1, 1] is the whole image.
    """
    from medssl_bench.augmentations.ops import Equalize

    return Equalize(p, rule, strength, region)


def sharpness(size: int, *, alpha: FactorLimits = (1.0, 10.0), p: Probability = 1.0) -> Op:  # noqa: ARG001
    """Move images away from their smoothed selves, eq. (4.5) of [Jiang 2023].

    Args:
        alpha: least and largest alpha: 0 smooths, 1 changes nothing, more sharpens.
        p: probability with which an image is changed.
    """
    from medssl_bench.augmentations.ops import Sharpness

    return Sharpness(alpha, p=p)


def solarize(size: int, *, threshold: Probability = 0.5, p: Probability = 0.2) -> Op:  # noqa: ARG001
    """Invert every value from a threshold on.

    Args:
        threshold: in [0, 1].
        p: probability with which an image is changed.
    """
    from medssl_bench.augmentations.ops import Solarize

    return Solarize(threshold, p=p)


def gamma(size: int, *, gamma: PositiveLimits = (0.7, 1.5), p: Probability = 1.0) -> Op:  # noqa: ARG001
    """Raise every value to a random power.

    Args:
        gamma: least and largest exponent: below 1 brightens, above 1 darkens.
        p: probability with which an image is changed.
    """
    from medssl_bench.augmentations.ops import Gamma

    return Gamma(gamma, p=p)


def gaussian_noise(
    size: int,  # noqa: ARG001
    *,
    std: FactorLimits = (0.0, 0.1),
    per_channel: bool = True,
    p: Probability = 1.0,
) -> Op:
    """Add independent normal noise to every value.

    Args:
        std: least and largest standard deviation, values being in [0, 1].
        per_channel: whether each channel has noise of its own; false keeps grey images grey.
        p: probability with which an image is changed.
    """
    from medssl_bench.augmentations.ops import GaussianNoise

    return GaussianNoise(std, per_channel=per_channel, p=p)


def erase(
    size: int,  # noqa: ARG001
    *,
    scale: FractionLimits = (0.02, 0.33),
    ratio: PositiveLimits = (0.3, 3.3),
    value: Probability = 0.0,
    p: Probability = 0.5,
) -> Op:
    """Fill a random rectangle (random erasing, Zhong et al. 2020).

    Args:
        scale: least and largest area of the rectangle as a fraction of the image's.
        ratio: least and largest height divided by width.
        value: what to fill with: 0 is black, 1 white.
        p: probability with which an image is changed.
    """
    from medssl_bench.augmentations.ops import Erase

    return Erase(scale, ratio, value, p=p)
