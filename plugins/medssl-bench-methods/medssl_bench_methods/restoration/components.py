"""The methods and their parameters: rotation, context_restoration, genesis, masked, mae.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from medssl_bench.augmentations.ranges import Probability
from medssl_bench.errors import StageError
from medssl_bench.methods import Passes
from medssl_bench.plugin.markers import hookimpl
from medssl_bench_methods.ops.components import Count, Sides, patch_side
from medssl_bench_methods.work import one_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from medssl_bench.methods import Method, MethodContext
    from medssl_bench.plugin.registry import Register

Width = Annotated[int, Field(ge=8)]
TokenWidth = Annotated[int, Field(ge=32, multiple_of=32)]

_BLOCK_SHARE = 0.037
"""Multiply-adds of a decoder's block of width 128 beside those of a ViT-Tiny (12 blocks of 192): (128 / 192)^2 / 12."""

_DECODER_SHARE = 0.15
"""Multiply-adds of a decoder of width 64 for 28 pixels, beside those of a ResNet-18."""


@hookimpl
def medssl_methods(register: Register) -> None:
    """Register the methods of this family."""
    register("rotation", rotation, work=_rotation_work)
    register("context_restoration", context_restoration, work=_decoded_work)
    register("genesis", genesis, work=_decoded_work)
    register("masked", masked, work=one_view)
    register("mae", mae, work=_mae_work)


def _rotation_work(parameters: Mapping[str, Any], size: int) -> Passes:
    turns = 4 if parameters["turns"] == "all" else 1
    return Passes(trained=((size, turns),), views=((size, 1),))


def _decoded_work(parameters: Mapping[str, Any], size: int) -> Passes:
    """Count the decoder as it is beside a ResNet-18: its work grows with the square of its width."""
    return Passes(trained=((size, 1 + _DECODER_SHARE * (parameters["decoder"] / 64) ** 2),), views=((size, 1),))


def _mae_work(parameters: Mapping[str, Any], size: int) -> Passes:
    """Count the tokens that the encoder sees, and the decoder as it is beside a ViT-Tiny."""
    decoder = _BLOCK_SHARE * parameters["depth"] * (parameters["decoder"] / 128) ** 2
    return Passes(trained=((size, 1 - parameters["masked"] + decoder),), views=((size, 1),))


def rotation(
    encoder: nn.Module,
    context: MethodContext,  # noqa: ARG001 - every method is given one
    *,
    turns: Literal["one", "all"] = "one",
) -> Method:
    """Rotation (Gidaris et al. 2018): which of four turns was an image given?

    The loss is the cross-entropy of a linear layer on the features over 0, 90, 180 and 270 degrees (eq. 2 and 3).
    Cells and sections of tissue have no up: their accuracy stays at 0.25, and nothing is learnt of them. Nor can it
    be predicted if the recipe's augmentation turns images, too; flips make it harder.

    Differences from the paper: by default one random turn of each image instead of all four at once, so that a pass
    over the images costs a half of SimCLR's and not twice as much; the features are those of the whole encoder.

    Args:
        turns: `one` random turn of each image, or `all` four (the paper's), which makes batches four times as large.
    """
    from medssl_bench_methods.restoration.turning import Rotation

    return Rotation(encoder, turns=turns)


def context_restoration(
    encoder: nn.Module,
    context: MethodContext,
    *,
    patch: Count | None = None,
    swaps: Count = 6,
    decoder: Width = 64,
) -> Method:
    """Context restoration (Chen et al. 2019): small patches were swapped; draw the image as it was.

    The loss is the mean squared difference of the drawn image D(f(swapped x)) to x, over all pixels (eq. 1).

    Differences from the paper: the decoder sees the features alone, not maps of earlier layers, as those hold the
    answer; its output is in [0, 1].

    Args:
        patch: side of the patches in pixels. Unset: 0.18 of the view's side, 5 of 28 pixels.
        swaps: number of swaps, the paper's T; 6 is ours.
        decoder: channels of the decoder's smallest maps, ours; with 64 it costs about 0.15 of a ResNet-18.

    Raises:
        StageError: two patches do not fit side by side into a view.
    """
    from medssl_bench_methods.ops.swapping import SwapPatches
    from medssl_bench_methods.restoration.restoring import Restoration

    side = patch or patch_side(context.size)
    if 2 * side > context.size:
        raise StageError(f"two patches of {side} pixels do not fit side by side into views of {context.size} pixels")
    return Restoration(encoder, [SwapPatches(side, swaps, p=1.0)], size=context.size, decoder=decoder)


def genesis(
    encoder: nn.Module,
    context: MethodContext,
    *,
    shuffle: Probability = 0.5,
    intensity: Probability = 0.9,
    paint: Probability = 0.9,
    inpaint: Probability = 0.2,
    windows: Count = 10,
    sides: Sides | None = None,
    decoder: Width = 64,
) -> Method:
    """Models Genesis (Zhou et al. 2019): textures, intensities or parts were changed; draw the image as it was.

    An image is distorted by local shuffling, a Bezier mapping of intensities, and in- or out-painting, each with a
    probability. The loss is the mean squared difference of the drawn image D(f(distorted x)) to x.

    Differences from the paper: images of two dimensions; the decoder sees the features alone, not maps of earlier
    layers (a U-Net's), as those hold most of the answer; flips are the recipe's; windows are shuffled one after the
    other (the authors' code takes every window of the image as it was). Rates are those of the authors' code.

    Args:
        shuffle: probability of local shuffling.
        intensity: probability of the Bezier mapping, which falls in a half of all cases.
        paint: probability of painting.
        inpaint: probability that painting is in-painting; else it is out-painting.
        windows: number of windows that are shuffled, ours; the authors' 10,000 are for volumes of 64 x 64 x 32.
        sides: least and largest side of a window in pixels. Unset: 2, and 0.18 of the view's side (5 of 28 pixels).
        decoder: channels of the decoder's smallest maps, ours; with 64 it costs about 0.15 of a ResNet-18.
    """
    from medssl_bench_methods.restoration.restoring import Restoration, genesis_distortions

    limits = sides or (2, max(patch_side(context.size), 2))
    distortions = genesis_distortions(windows=windows, sides=limits, rates=(shuffle, intensity, paint, inpaint))
    return Restoration(encoder, distortions, size=context.size, decoder=decoder)


def masked(
    encoder: nn.Module,
    context: MethodContext,
    *,
    patch: Count = 4,
    masked: Annotated[float, Field(gt=0, lt=1)] = 0.6,
) -> Method:
    """Masked images for any encoder, in the way of SimMIM (Xie et al. 2022): what do hidden patches hold?

    Hidden patches of the image are filled with a learnt colour. A linear layer draws the image of the features; the
    loss is the mean absolute difference of hidden pixels (eq. 1).

    Differences from the paper: it works for convolutional encoders, too, as patches are hidden in the image and not
    among tokens; the linear layer sees the pooled features. See `mae` for ViTs that see the other patches only.

    Args:
        patch: side of a patch in pixels, which divides the view's; the paper's 32 of 224 pixels are 4 of 28.
        masked: part of the patches that is hidden.

    Raises:
        StageError: patches do not divide the view.
    """
    from medssl_bench_methods.restoration.hidden_patches import Masked

    if context.size % patch:
        raise StageError(f"a patch of {patch} does not divide views of {context.size} pixels")
    return Masked(encoder, size=context.size, patch=patch, masked=masked)


def mae(
    encoder: nn.Module,
    context: MethodContext,
    *,
    masked: Annotated[float, Field(gt=0, lt=1)] = 0.75,
    decoder: TokenWidth = 128,
    depth: Count = 2,
    norm_pix: bool = True,
    epsilon: Annotated[float, Field(gt=0)] = 1e-4,
) -> Method:
    """Masked autoencoder (He et al. 2022): a ViT sees a quarter of the patches, a small decoder draws the others.

    The loss is the mean squared difference of hidden patches, whose pixels are normalised by the patch's own mean and
    variance (sec. 3). A pass costs about a third of one over all patches.

    Differences from the paper: a smaller decoder, in proportion to images of 28 pixels; the geometry is the recipe's
    (the paper's: crops of 0.2 to 1 of the area, and flips). The paper trains long, with `betas = [0.9, 0.95]`, a weight
    decay of 0.05 and a warm-up. The class token takes no part in the loss: give the ViT `pool = "avg"`, else a probe
    sees a token that was hardly trained.

    Args:
        masked: part of the patches that is hidden: of 7 x 7 patches it leaves 12.
        decoder: width of the decoder's tokens; the paper's 512.
        depth: number of the decoder's blocks; the paper's 8.
        norm_pix: normalise the pixels of each patch (the paper's better choice).
        epsilon: added to a patch's variance before normalising, ours; the paper's 1e-6 is that of rounding to 8 bits,
            and makes targets of mere noise where the background is flat.

    Raises:
        StageError: the encoder is no ViT.
    """
    from medssl_bench_methods.restoration.autoencoder import MAE

    return MAE(
        encoder,
        size=context.size,
        masked=masked,
        width=decoder,
        depth=depth,
        epsilon=epsilon if norm_pix else None,
    )
