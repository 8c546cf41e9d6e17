"""The ops and their parameters: elastic, bezier, energy_bands, local_shuffle, inpaint, outpaint, swap_patches.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from medssl_bench.augmentations.ranges import FactorLimits, FractionLimits, Probability
from medssl_bench.plugin.markers import hookimpl

if TYPE_CHECKING:
    from medssl_bench.augmentations import Op
    from medssl_bench.plugin.registry import Register

Count = Annotated[int, Field(ge=1)]


def _increasing(sides: tuple[int, int]) -> tuple[int, int]:
    if sides[0] > sides[1]:
        raise ValueError("the first side must not be larger than the second")
    return sides


Sigma = Annotated[float, Field(gt=0)]


def _rising(sigmas: tuple[float, ...]) -> tuple[float, ...]:
    if list(sigmas) != sorted(set(sigmas)):
        raise ValueError("sigmas must rise")
    return sigmas


Sides = Annotated[tuple[Count, Count], AfterValidator(_increasing)]


@hookimpl
def medssl_ops(register: Register) -> None:
    """Register the ops."""
    for factory in (elastic, bezier, energy_bands, local_shuffle, inpaint, outpaint, swap_patches):
        register(factory.__name__, factory)


def elastic(
    size: int,  # noqa: ARG001 - every op receives the size
    *,
    alpha: FactorLimits = (0.0, 0.1),
    sigma: Annotated[float, Field(gt=0)] = 0.125,
    p: Probability = 1.0,
) -> Op:
    """Bend images by a smooth random field (Simard et al. 2003); bilinear, with a reflected border.

    Args:
        alpha: least and largest reach as a fraction of the side: the pixel that moves most along an axis moves so far.
            0.1 is 2.8 of 28 pixels; more than about 0.15 folds images over themselves.
        sigma: standard deviation of the Gaussian that smooths the noise, as a fraction of the side: 3.5 of 28 pixels.
        p: probability with which an image is bent.
    """
    from medssl_bench_methods.ops.bending import Elastic

    return Elastic(alpha, sigma, p=p)


def bezier(size: int, *, inverted: Probability = 0.5, p: Probability = 0.5) -> Op:  # noqa: ARG001
    """Map intensities by a random Bezier curve that never falls (Models Genesis, Zhou et al. 2019).

    Args:
        inverted: probability with which the image is made negative first; the authors' code has 0.5.
        p: probability with which an image is changed; Models Genesis has 0.9.
    """
    from medssl_bench_methods.ops.curves import Bezier

    return Bezier(inverted, p=p)


def energy_bands(
    size: int,  # noqa: ARG001
    *,
    sigmas: Annotated[tuple[Sigma, ...], Field(min_length=1), AfterValidator(_rising)] = (1.0, 2.0, 4.0),
    strength: Annotated[float, Field(ge=0)] = 0.5,
    reference: Annotated[tuple[Sigma, ...], Field(min_length=1)] | None = None,
    p: Probability = 1.0,
) -> Op:
    """Change the energy of frequency bands, as devices and settings do (Ghesu et al. 2022, eq. 2.26 of [Jiang 2023]).

    Bands are differences of Gaussians. The energy of a band is its standard deviation over the image; each band is
    multiplied by exp(u), with u uniform between -strength and strength. What is smoother than all bands stays.

    Args:
        sigmas: standard deviations of the Gaussians in pixels, rising; ours, the paper doubles them too.
        strength: how much energies vary; 0 leaves them.
        reference: energies that the bands are first brought to, one for each, such as the means over all images; unset:
            their own.
        p: probability with which an image is changed.

    Raises:
        UserError: `reference` has another number of bands than `sigmas`.
    """
    from medssl_bench.errors import UserError
    from medssl_bench_methods.ops.energy_bands import EnergyBands

    if reference is not None and len(reference) != len(sigmas):
        raise UserError(f"energy_bands: reference has {len(reference)} energies for {len(sigmas)} sigmas")
    return EnergyBands(sigmas, strength, reference, p=p)


def local_shuffle(size: int, *, windows: Count = 10, sides: Sides | None = None, p: Probability = 0.5) -> Op:
    """Shuffle the pixels within small windows (Models Genesis, Zhou et al. 2019); the histogram stays.

    Args:
        windows: number of windows, which may overlap. The authors' 10,000 are for volumes of 64 x 64 x 32.
        sides: least and largest height and width of a window in pixels. Unset: 2, and 0.18 of the view's side (5 of 28
            pixels): the authors' tenth of the side would leave a window of 28 pixels nearly nothing to shuffle.
        p: probability with which an image is changed.
    """
    from medssl_bench_methods.ops.shuffling import LocalShuffle

    return LocalShuffle(windows, sides or (2, max(patch_side(size), 2)), p=p)


def inpaint(
    size: int,  # noqa: ARG001
    *,
    boxes: Count = 5,
    sides: FractionLimits = (1 / 6, 1 / 3),
    p: Probability = 0.5,
) -> Op:
    """Fill a few boxes with noise (Models Genesis, Zhou et al. 2019).

    Args:
        boxes: largest number of boxes, which may overlap; each comes with a probability of 0.95 if the one before came.
        sides: least and largest height and width of a box as fractions of the image's.
        p: probability with which an image is changed; Models Genesis has 0.9 x 0.2.
    """
    from medssl_bench_methods.ops.painting import Inpaint

    return Inpaint(boxes, sides, p=p)


def outpaint(
    size: int,  # noqa: ARG001
    *,
    boxes: Count = 5,
    sides: FractionLimits = (3 / 7, 4 / 7),
    p: Probability = 0.5,
) -> Op:
    """Fill everything but a few boxes with noise (Models Genesis, Zhou et al. 2019).

    Args:
        boxes: largest number of boxes, one at least; each further one comes with a probability of 0.95.
        sides: least and largest height and width of a box as fractions of the image's.
        p: probability with which an image is changed; Models Genesis has 0.9 x 0.8.
    """
    from medssl_bench_methods.ops.painting import Outpaint

    return Outpaint(boxes, sides, p=p)


def swap_patches(size: int, *, patch: Count | None = None, swaps: Count = 6, p: Probability = 0.5) -> Op:
    """Swap two square patches that do not overlap, several times (Chen et al. 2019); the histogram stays.

    Args:
        patch: side of the patches in pixels. Unset: 0.18 of the view's side, 5 of 28 pixels.
        swaps: number of swaps, the paper's T; 6 is ours.
        p: probability with which an image is changed.
    """
    from medssl_bench_methods.ops.swapping import SwapPatches

    return SwapPatches(patch or patch_side(size), swaps, p=p)


def patch_side(size: int) -> int:
    """Return the side of patches that are swapped and of windows that are shuffled: 5 of 28 pixels."""
    return max(round(0.18 * size), 1)
