"""The self-distillation methods, their parameters and defaults.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from medssl_bench.augmentations.ranges import FractionLimits
from medssl_bench.plugin.markers import hookimpl
from medssl_bench_methods.parameters import AtLeastOne, Count, Fraction, Keep, Prototypes, Temperature, Width
from medssl_bench_methods.work import passes_with_teacher

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.methods import Method, MethodContext
    from medssl_bench.plugin.registry import Register

Clip = Annotated[float, Field(gt=0)]
MaskedPart = Annotated[float, Field(gt=0, lt=1)]


@hookimpl
def medssl_methods(register: Register) -> None:
    """Register the methods of this family."""
    register("dino", dino, work=passes_with_teacher)
    register("ibot", ibot, work=passes_with_teacher)


def dino(
    encoder: nn.Module,
    context: MethodContext,
    *,
    hidden: Width = 512,
    projection: Width = 128,
    prototypes: Prototypes = 256,
    temperature: Temperature = 0.1,
    teacher_temperature: Temperature = 0.04,
    teacher_temperature_end: Temperature | None = None,
    centering: Literal["sinkhorn", "mean"] = "sinkhorn",
    center_momentum: Fraction = 0.9,
    momentum: Fraction = 0.99,
    momentum_end: Fraction = 1.0,
    clip: Clip | None = 3.0,
    frozen: Fraction = 0.01,
    keep: Keep = "teacher",
    crop: FractionLimits | None = (0.4, 1.0),
    local_views: Count = 4,
    local_size: AtLeastOne | None = None,
    local_crop: FractionLimits = (0.1, 0.4),
) -> Method:
    """DINO (Caron et al. 2021): what a moving average says of a large crop is predicted from every other crop.

    The student g_s sees all crops, the teacher g_t, its moving average, the two large ones. With P_t the teacher's
    centred and sharpened output, the loss is the mean over pairs of a large crop t and another crop s of
    ``-sum_k P_t log softmax(g_s / temperature)`` (eq. 3).

    Differences from the paper: P_t is balanced over the batch by Sinkhorn-Knopp, as in DINOv2 (Oquab et al. 2023), as
    the moving centre collapsed in short trainings on small images; ``centering = "mean"`` is the paper's. Sizes
    are for images of 28 pixels, and parts of the training are used where the paper has epochs. The paper's weight decay
    from 0.04 to 0.4 is the optimiser's matter. `crop` and `local_views` ask for crops, so the augmentation must be a
    sequence of the harness' ops.

    Args:
        hidden: width of the head's two hidden layers; ours, the paper's 2048.
        projection: length of the normalised vectors that prototypes are compared with; ours, the paper's 256.
        prototypes: K, the length of the output; ours, the paper's 65536.
        temperature: of the student; the paper's 0.1.
        teacher_temperature: of the teacher in the beginning; the paper's 0.04.
        teacher_temperature_end: of the teacher after the first 30 % of the training, reached in equal steps; the
            paper's 0.07, reached in 30 epochs; unset: it stays.
        centering: ``sinkhorn`` balances the teacher's outputs over the batch, in 3 iterations; ``mean`` subtracts their
            moving average.
        center_momentum: of that moving average; the paper's 0.9.
        momentum: of the teacher in the beginning; ours, for short trainings, the paper's 0.996.
        momentum_end: in the end, by a half cosine; the paper's 1.
        clip: largest norm of the gradient of each parameter; the paper's 3, unset: none.
        frozen: part of the training in which the last layer stays; ours, the paper's first epoch of 100 and more.
        keep: whose encoder is kept; the paper's teacher.
        crop: least and largest part of the area in the two large views; unset: the augmentation's own. The paper has
            (0.4, 1) for ViTs and (0.14, 1) for a ResNet.
        local_views: number of small views; ours, the paper's 8.
        local_size: their side in pixels; unset: four sevenths of the recipe's, 16 of 28 (the paper's 96 of 224).
        local_crop: least and largest part of the area in a small view; ours, the paper's (0.05, 0.4): less than a
            tenth of 28 by 28 pixels shows nothing.
    """
    from medssl_bench_methods.multicrop import crops
    from medssl_bench_methods.selfdistillation.dino import DINO, Settings
    from medssl_bench_methods.selfdistillation.teaching import Pace

    settings = Settings(
        hidden=hidden,
        projection=projection,
        prototypes=prototypes,
        temperature=temperature,
        pace=Pace(momentum, momentum_end, teacher_temperature, teacher_temperature_end or teacher_temperature, frozen),
        centering=centering,
        center_momentum=center_momentum,
        clip=clip,
        keep=keep,
    )
    views = crops(context.size, crop=crop, local_views=local_views, local_size=local_size, local_crop=local_crop)
    return DINO(encoder, views, settings)


def ibot(
    encoder: nn.Module,
    context: MethodContext,
    *,
    hidden: Width = 512,
    projection: Width = 128,
    prototypes: Prototypes = 512,
    masked: MaskedPart = 0.3,
    koleo: Annotated[float, Field(ge=0)] = 0.0,
    temperature: Temperature = 0.1,
    teacher_temperature: Temperature = 0.04,
    teacher_temperature_end: Temperature | None = None,
    centering: Literal["sinkhorn", "mean"] = "sinkhorn",
    center_momentum: Fraction = 0.9,
    momentum: Fraction = 0.99,
    momentum_end: Fraction = 1.0,
    clip: Clip | None = 3.0,
    frozen: Fraction = 0.01,
    keep: Keep = "teacher",
    crop: FractionLimits | None = (0.4, 1.0),
    local_views: Count = 0,
    local_size: AtLeastOne | None = None,
    local_crop: FractionLimits = (0.1, 0.4),
) -> Method:
    """IBOT (Zhou et al. 2022): DINO, and the student predicts what the teacher says of patches hidden from it.

    The student g_s sees the large crops with some patches replaced by one trained token, the teacher sees them whole.
    One head is for images and patches. With P_t the teacher's centred and sharpened output for a patch, the loss is
    DINO's plus the mean over hidden patches of ``-sum_k P_t log softmax(g_s / temperature)`` (eq. 2, 3). The encoder
    must be a ViT, for example `vit_tiny`.

    Differences from the paper: patches are hidden one by one, as many in every large crop, where the paper hides
    blocks of another size in each crop, or none; centring by Sinkhorn-Knopp, as in DINOv2 (Oquab et al. 2023); sizes
    for images of 28 pixels. All else is as of `dino`.

    Args:
        hidden: width of the head's two hidden layers; ours, the paper's 2048.
        projection: length of the normalised vectors that prototypes are compared with; ours, the paper's 256.
        prototypes: K, the length of the output; ours, the paper's 8192.
        masked: part of the patches of a large crop that is hidden; the mean of the paper's, 0 or 0.1 to 0.5. 15 of 49.
        koleo: weight of KoLeo on the first large crop, which keeps the features of different images apart; not the
            paper's, DINOv2's 0.1.
        temperature: of the student; the paper's 0.1.
        teacher_temperature: of the teacher in the beginning; the paper's 0.04.
        teacher_temperature_end: of the teacher after the first 30 % of the training, reached in equal steps; the
            paper's 0.07; unset: it stays.
        centering: ``sinkhorn`` balances the teacher's outputs over the batch, in 3 iterations; ``mean`` subtracts their
            moving averages, one of images and one of patches, as the paper does.
        center_momentum: of those moving averages; the paper's 0.9.
        momentum: of the teacher in the beginning; ours, for short trainings, the paper's 0.996.
        momentum_end: in the end, by a half cosine; the paper's 1.
        clip: largest norm of the gradient of each parameter; the paper's 3, unset: none.
        frozen: part of the training in which the last layer stays; ours, the paper's first epoch of 100 and more.
        keep: whose encoder is kept; the paper's teacher.
        crop: least and largest part of the area in the two large views; unset: the augmentation's own. The paper's is
            (0.25, 1).
        local_views: number of small views; ours, the paper's 10. A ViT resizes them to its one size, so that each costs
            as much as a large one, unless it has ``dynamic_img_size``.
        local_size: their side in pixels; unset: four sevenths of the recipe's, 16 of 28.
        local_crop: least and largest part of the area in a small view; ours, the paper's (0.05, 0.25).
    """
    from medssl_bench.errors import StageError
    from medssl_bench_methods.multicrop import crops
    from medssl_bench_methods.selfdistillation.dino import Settings
    from medssl_bench_methods.selfdistillation.ibot import IBOT
    from medssl_bench_methods.selfdistillation.teaching import Pace

    if not hasattr(encoder, "tokens"):
        raise StageError(
            'ibot hides patches, so it needs a ViT; set encoder = "vit_tiny" in the recipe and the comparison'
        )
    settings = Settings(
        hidden=hidden,
        projection=projection,
        prototypes=prototypes,
        temperature=temperature,
        pace=Pace(momentum, momentum_end, teacher_temperature, teacher_temperature_end or teacher_temperature, frozen),
        centering=centering,
        center_momentum=center_momentum,
        clip=clip,
        keep=keep,
    )
    views = crops(context.size, crop=crop, local_views=local_views, local_size=local_size, local_crop=local_crop)
    return IBOT(encoder, views, settings, masked=masked, spread=koleo)
