"""The evaluators SupCon and FixMatch, and FixMatch's two augmentations.

Both see labels, so they are evaluators: they are given the labels of a cell, and no method sees any. Importing this
module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from medssl_bench.augmentations.ranges import Probability
from medssl_bench.plugin.markers import hookimpl

if TYPE_CHECKING:
    from medssl_bench.augmentations import Op, Sequence
    from medssl_bench.plugin.registry import Register

_HERE = "medssl_bench_methods.supervised"

Side = Annotated[float, Field(gt=0, le=1)]
"""A part of an image's side."""


@hookimpl
def medssl_evaluators(register: Register) -> None:
    """Register the evaluators of this family."""
    register("supcon", f"{_HERE}.supcon:SupCon")
    register("fixmatch", f"{_HERE}.fixmatch:FixMatch")


@hookimpl
def medssl_augmentations(register: Register) -> None:
    """Register the augmentations of FixMatch."""
    register("fixmatch_weak", fixmatch_weak)
    register("fixmatch_strong", fixmatch_strong)


def fixmatch_weak(size: int, *, flip_p: Probability = 0.5, shift: Probability = 0.125) -> Sequence:
    """The weak augmentation of FixMatch (Sohn et al. 2020, sec. 2.3): mirror, and shift by an eighth of the side.

    What comes in at the border is a reflection, as in the authors' code. Shifts are of parts of pixels, where theirs
    are of whole ones.

    Args:
        flip_p: probability of mirroring left to right; the paper's.
        shift: largest shift along each axis, as a fraction of the side; the paper's.
    """
    from medssl_bench.augmentations import Sequence
    from medssl_bench.augmentations.ops import Resize

    return Sequence([*_weak_ops(flip_p, shift), Resize(size)], size)


def fixmatch_strong(
    size: int,
    *,
    flip_p: Probability = 0.5,
    shift: Probability = 0.125,
    p: Probability = 0.25,
    cutout: Side = 0.5,
) -> Sequence:
    """The strong augmentation of FixMatch: the weak one, some of eight distortions, and a square that is cut out.

    The distortions are those of the paper's list for RandAugment that this harness has, at the paper's magnitudes:
    brightness, contrast, saturation, sharpness, equalisation, rotation, translation, and solarisation, from the middle
    grey on. Each acts on a quarter of the images, so that an image gets two on average, where RandAugment draws two of
    fourteen for each. Identity, autocontrast, posterisation and shears are left out.

    Args:
        flip_p: probability of mirroring left to right.
        shift: largest shift of the weak augmentation along each axis, as a fraction of the side.
        p: probability of each distortion.
        cutout: largest side of the grey square, as a fraction of the image's side (DeVries and Taylor 2017); the
            paper's.
    """
    from medssl_bench.augmentations import Sequence
    from medssl_bench.augmentations.ops import Affine, ColorJitter, Equalize, Erase, Resize, Sharpness, Solarize

    less, same = (0.05, 0.95), (1.0, 1.0)
    distortions = [
        ColorJitter(less, same, same, (0.0, 0.0), p=p),
        ColorJitter(same, less, same, (0.0, 0.0), p=p),
        ColorJitter(same, same, less, (0.0, 0.0), p=p),
        Sharpness(less, p=p),
        Solarize(0.5, p=p),
        Equalize(p),
        Affine((-30.0, 30.0), padding="reflection", p=p),
        Affine((0.0, 0.0), 0.3, padding="reflection", p=p),
    ]
    cut = Erase((cutout**2 / 100, cutout**2), (1.0, 1.0), 0.5, p=1.0)
    return Sequence([*_weak_ops(flip_p, shift), *distortions, cut, Resize(size)], size)


def _weak_ops(flip_p: float, shift: float) -> list[Op]:
    from medssl_bench.augmentations.ops import Affine, HorizontalFlip

    return [HorizontalFlip(flip_p), Affine((0.0, 0.0), shift, padding="reflection")]
