"""The thesis' augmentation sequences. Importing this module imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from medssl_bench.augmentations.ranges import FactorLimits, FractionLimits, Probability, Region, Strength
from medssl_bench.plugin.parameters import AddedLater
from medssl_bench_thesis.readings import Reading, chosen

if TYPE_CHECKING:
    from medssl_bench.augmentations import Sequence

Order = Literal["fixed", "random"]
Weights = Literal["mean", "luma"]
ScaleOf = Literal["area", "side"]
Rule = Literal["pillow", "equation"]
SharpnessProbability = Annotated[Probability, AddedLater(1.0)]


def tau_nat(
    size: int,
    *,
    reading: Reading = "text",
    crop_scale: FractionLimits = (0.08, 1.0),
    crop_scale_of: ScaleOf = "area",
    jitter_p: Probability | None = None,
    jitter_order: Order | None = None,
    grayscale_weights: Weights | None = None,
) -> Sequence:
    """tau_nat, the standard sequence (sec. 3.2.1): flip, crop, colour distortion, greyscale, blur.

    Args:
        reading: `text`, the thesis as printed, or `code`, its public code: parameters that are none follow it.
        crop_scale: least and largest part of the image that is kept.
        crop_scale_of: `area`: a fraction of the area, as the code ran; `side`: of both sides, eq. (3.2).
        jitter_p: probability of the colour distortion; text 1, code 0.8.
        jitter_order: order of brightness, contrast, saturation, hue; text `fixed`, code `random`.
        grayscale_weights: text `mean` of the channels, eq. (3.4); code `luma`.
    """
    from medssl_bench.augmentations import Sequence
    from medssl_bench_thesis import steps

    crop = steps.crop(size, crop_scale, crop_scale_of)
    jitter = steps.jitter("strong", reading, jitter_p, jitter_order)
    ops = steps.natural(crop, jitter, steps.grayscale(reading, grayscale_weights))
    return Sequence(ops, size)


def tau_nat_weak(
    size: int,
    *,
    reading: Reading = "text",
    crop_scale: FractionLimits = (0.08, 1.0),
    crop_scale_of: ScaleOf = "area",
    jitter_p: Probability | None = None,
    jitter_order: Order | None = None,
    grayscale_weights: Weights | None = None,
) -> Sequence:
    """tau_nat with the weaker colour distortion of tau_nov; not in the thesis.

    tau_nov differs from tau_nat in three things, weaker distortion, equalisation and sharpness; this separates the
    first from the others.

    Args:
        reading: `text`, the thesis as printed, or `code`, its public code: parameters that are none follow it.
        crop_scale: least and largest part of the image that is kept.
        crop_scale_of: `area`: a fraction of the area, as the code ran; `side`: of both sides, eq. (3.2).
        jitter_p: probability of the colour distortion; text 1, code 0.8.
        jitter_order: order of brightness, contrast, saturation, hue; text `fixed`, code `random`.
        grayscale_weights: text `mean` of the channels, eq. (3.4); code `luma`.
    """
    from medssl_bench.augmentations import Sequence
    from medssl_bench_thesis import steps

    crop = steps.crop(size, crop_scale, crop_scale_of)
    jitter = steps.jitter("weak", reading, jitter_p, jitter_order)
    ops = steps.natural(crop, jitter, steps.grayscale(reading, grayscale_weights))
    return Sequence(ops, size)


def tau_short(
    size: int,
    *,
    reading: Reading = "text",
    crop_scale: FractionLimits = (0.08, 1.0),
    crop_scale_of: ScaleOf = "area",
    jitter_p: Probability | None = None,
    jitter_order: Order | None = None,
) -> Sequence:
    """tau_short, tau_nat without flip and greyscale (sec. 4.1): crop, colour distortion, blur.

    Sec. 4.1.1 contradicts this; see tau_short_literal. The thesis also calls it tau_simple and tau_Sim.

    Args:
        reading: `text`, the thesis as printed, or `code`, its public code: parameters that are none follow it.
        crop_scale: least and largest part of the image that is kept.
        crop_scale_of: `area`: a fraction of the area, as the code ran; `side`: of both sides, eq. (3.2).
        jitter_p: probability of the colour distortion; text 1, code 0.8.
        jitter_order: order of brightness, contrast, saturation, hue; text `fixed`, code `random`.
    """
    from medssl_bench.augmentations import Sequence
    from medssl_bench_thesis import steps

    ops = [
        steps.crop(size, crop_scale, crop_scale_of),
        steps.jitter("strong", reading, jitter_p, jitter_order),
        steps.blur(),
    ]
    return Sequence(ops, size)


def tau_short_literal(
    size: int,
    *,
    reading: Reading = "text",
    jitter_p: Probability | None = None,
    jitter_order: Order | None = None,
) -> Sequence:
    """tau_short as sec. 4.1.1 words it, tau_nat without crop and greyscale: flip, colour distortion, blur.

    Sec. 4.1, the conclusions and the code contradict it. Images of another size than the view's are resized first.

    Args:
        reading: `text`, the thesis as printed, or `code`, its public code: parameters that are none follow it.
        jitter_p: probability of the colour distortion; text 1, code 0.8.
        jitter_order: order of brightness, contrast, saturation, hue; text `fixed`, code `random`.
    """
    from medssl_bench.augmentations import Sequence
    from medssl_bench.augmentations.ops import Resize
    from medssl_bench_thesis import steps

    ops = [Resize(size), steps.flip(), steps.jitter("strong", reading, jitter_p, jitter_order), steps.blur()]
    return Sequence(ops, size)


def tau_nov(
    size: int,
    *,
    reading: Reading = "text",
    crop_scale: FractionLimits = (0.08, 1.0),
    crop_scale_of: ScaleOf = "area",
    jitter_p: Probability | None = None,
    jitter_order: Order | None = None,
    grayscale_weights: Weights | None = None,
    equalize_p: Probability = 0.5,
    equalize_rule: Rule = "pillow",
    equalize_strength: Strength = (1.0, 1.0),
    equalize_region: Region = (1.0, 1.0),
    sharpness: FactorLimits = (1.0, 10.0),
    sharpness_p: SharpnessProbability = 1.0,
) -> Sequence:
    """tau_nov, the novel sequence (sec. 4.2): tau_nat with weaker colour distortion, then equalisation and sharpness.

    Args:
        reading: `text`, the thesis as printed, or `code`, its public code: parameters that are none follow it.
        crop_scale: least and largest part of the image that is kept.
        crop_scale_of: `area`: a fraction of the area, as the code ran; `side`: of both sides, eq. (3.2).
        jitter_p: probability of the colour distortion; text 1, code 0.8.
        jitter_order: order of brightness, contrast, saturation, hue; text `fixed`, code `random`.
        grayscale_weights: text `mean` of the channels, eq. (3.4); code `luma`.
        equalize_p: probability of histogram equalisation, eq. (4.3).
        equalize_rule: `pillow`, to the digit what Pillow makes of Y in 8 bits, as the code ran; `equation`, eq. (4.2).
        equalize_strength: least and largest part of the equalisation's change that is made.
        equalize_region: least and largest area of the box that is equalised, as a fraction of the image's; [1, 1] is
            the whole image.
        sharpness: least and largest alpha of eq. (4.5); [1, 1] leaves it out.
        sharpness_p: probability of sharpness.
    """
    from medssl_bench.augmentations import Sequence
    from medssl_bench.augmentations.ops import Equalize, Sharpness
    from medssl_bench_thesis import steps

    crop = steps.crop(size, crop_scale, crop_scale_of)
    jitter = steps.jitter("weak", reading, jitter_p, jitter_order)
    ops = steps.natural(crop, jitter, steps.grayscale(reading, grayscale_weights))
    return Sequence(
        [
            *ops,
            Equalize(equalize_p, equalize_rule, equalize_strength, equalize_region),
            Sharpness(sharpness, p=sharpness_p),
        ],
        size,
    )


def tau_grey(
    size: int,
    *,
    reading: Reading = "text",
    crop_scale: FractionLimits = (0.08, 1.0),
    crop_scale_of: ScaleOf = "area",
    grayscale_p: Probability | None = None,
    grayscale_weights: Weights | None = None,
    equalize_p: Probability = 0.5,
    equalize_rule: Rule = "pillow",
    equalize_strength: Strength = (1.0, 1.0),
    equalize_region: Region = (1.0, 1.0),
    sharpness: FactorLimits = (1.0, 10.0),
    sharpness_p: SharpnessProbability = 1.0,
) -> Sequence:
    """tau_grey, tau_nov without colour distortion (sec. 6.1.1), for grey images.

    Args:
        reading: `text`, the thesis as printed, or `code`, its public code: parameters that are none follow it.
        crop_scale: least and largest part of the image that is kept.
        crop_scale_of: `area`: a fraction of the area, as the code ran; `side`: of both sides, eq. (3.2).
        grayscale_p: probability of greyscale, which does nothing to grey images; text 0.2, code 0.
        grayscale_weights: text `mean` of the channels, eq. (3.4); code `luma`.
        equalize_p: probability of histogram equalisation, eq. (4.3).
        equalize_rule: `pillow`, to the digit what Pillow makes of Y in 8 bits, as the code ran; `equation`, eq. (4.2).
        equalize_strength: least and largest part of the equalisation's change that is made.
        equalize_region: least and largest area of the box that is equalised, as a fraction of the image's; [1, 1] is
            the whole image.
        sharpness: least and largest alpha of eq. (4.5); [1, 1] leaves it out.
        sharpness_p: probability of sharpness.
    """
    from medssl_bench.augmentations import Sequence
    from medssl_bench.augmentations.ops import Equalize, Sharpness
    from medssl_bench_thesis import steps

    ops = [
        steps.flip(),
        steps.crop(size, crop_scale, crop_scale_of),
        steps.grayscale(reading, grayscale_weights, p=chosen(grayscale_p, reading, text=0.2, code=0.0)),
        steps.blur(),
        Equalize(equalize_p, equalize_rule, equalize_strength, equalize_region),
        Sharpness(sharpness, p=sharpness_p),
    ]
    return Sequence(ops, size)
