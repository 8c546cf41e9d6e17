"""Factories of the ops that move pixels. Importing this module imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from medssl_bench.augmentations.ranges import FractionLimits, Limits, PositiveLimits, Probability

if TYPE_CHECKING:
    from medssl_bench.augmentations.op import Op


def horizontal_flip(size: int, *, p: Probability = 0.5) -> Op:  # noqa: ARG001 - every op receives the size
    """Mirror left to right.

    Args:
        p: probability with which an image is mirrored.
    """
    from medssl_bench.augmentations.ops import HorizontalFlip

    return HorizontalFlip(p)


def vertical_flip(size: int, *, p: Probability = 0.5) -> Op:  # noqa: ARG001
    """Mirror top to bottom.

    Args:
        p: probability with which an image is mirrored.
    """
    from medssl_bench.augmentations.ops import VerticalFlip

    return VerticalFlip(p)


def rotate90(size: int, *, p: Probability = 1.0) -> Op:  # noqa: ARG001
    """Turn square images by 0, 90, 180 or 270 degrees, each as likely as the others.

    Args:
        p: probability with which an image is given a turn (of 0 degrees, it may be).
    """
    from medssl_bench.augmentations.ops import Rotate90

    return Rotate90(p)


def resized_crop(
    size: int,
    *,
    scale: FractionLimits = (0.08, 1.0),
    scale_of: Literal["area", "side"] = "area",
    ratio: PositiveLimits = (3 / 4, 4 / 3),
    antialias: bool = True,
) -> Op:
    """Crop a random box and resize it to the view's size, as torchvision's RandomResizedCrop.

    Args:
        scale: least and largest part of the image that is kept, in (0, 1].
        scale_of: `area`: a fraction of the area, as in torchvision; `side`: a fraction of both sides, eq. (3.2) of
            [Jiang 2023].
        ratio: least and largest width divided by height; only for `area`.
        antialias: average over the pixels that shrink into one.
    """
    from medssl_bench.augmentations.ops import ResizedCrop

    return ResizedCrop(size, scale, scale_of, ratio, antialias=antialias)


def resize(size: int) -> Op:
    """Resize the whole image to the view's size, bilinearly with antialiasing."""
    from medssl_bench.augmentations.ops import Resize

    return Resize(size)


def affine(
    size: int,  # noqa: ARG001
    *,
    degrees: Limits = (-10.0, 10.0),
    translate: Probability = 0.0,
    scale: PositiveLimits = (1.0, 1.0),
    padding: Literal["zeros", "border", "reflection"] = "zeros",
    p: Probability = 1.0,
) -> Op:
    """Rotate and scale around the centre, then shift.

    Args:
        degrees: least and largest rotation, counter-clockwise.
        translate: largest shift along each axis, as a fraction of the side.
        scale: least and largest magnification.
        padding: what lies outside the image: `zeros`, the `border` repeated, or a `reflection`.
        p: probability with which an image is changed.
    """
    from medssl_bench.augmentations.ops import Affine

    return Affine(degrees, translate, scale, padding, p=p)
