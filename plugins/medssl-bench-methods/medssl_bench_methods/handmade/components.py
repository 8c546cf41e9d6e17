"""The encoders made by hand, a method that fits words, and their parameters.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl
from medssl_bench_methods.work import teacher_of_one_view

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.methods import Method, MethodContext
    from medssl_bench.plugin.registry import Register

Count = Annotated[int, Field(ge=1)]


@hookimpl
def medssl_encoders(register: Register) -> None:
    """Register the encoders."""
    register("dense_sift", dense_sift)
    register("sift_words", sift_words)


@hookimpl
def medssl_methods(register: Register) -> None:
    """Register the method."""
    register("codebook", codebook, work=teacher_of_one_view)


def dense_sift(
    size: int,
    *,
    grid: Count = 5,
    radius: Annotated[float, Field(gt=0)] | None = None,
    pool: Count = 2,
    color: bool = False,
) -> nn.Module:
    """SIFT descriptors at fixed places (Lowe 2004, sec. 6), as features that nothing has learnt.

    A descriptor has 4 x 4 cells of 8 orientations of the grey image's gradient, under a Gaussian window; it is
    normalised, cut at 0.2, normalised again, and each number becomes its root (RootSIFT, Arandjelovic and Zisserman
    2012). Descriptors are averaged over `pool` x `pool` parts of the image: 512 features.

    Differences from the paper: fixed places instead of detected ones, which are two or three in a cell of 28 pixels;
    all descriptors are upright, and the image is not blurred before. It has no parameters: it cannot be fine-tuned.

    Args:
        grid: descriptors along each axis, at the middles of as many equal parts.
        radius: half of a descriptor's side in pixels. Unset: a seventh of the image's side, 4 of 28 pixels.
        pool: parts along each axis over whose descriptors is averaged; not more than `grid`.
        color: append a histogram of each channel with 16 levels, as SIFT sees no colours.
    """
    from medssl_bench_methods.handmade.dense_sift import DenseSift

    return DenseSift(size, grid=grid, radius=radius or size / 7, pool=min(pool, grid), color=color)


def sift_words(
    size: int,
    *,
    words: Annotated[int, Field(ge=2)] = 128,
    grid: Count = 7,
    radius: Annotated[float, Field(gt=0)] | None = None,
    color: bool = False,
) -> nn.Module:
    """A bag of SIFT words (Sivic and Zisserman 2003; Csurka et al. 2004): how often an image has each of K patterns.

    Every descriptor is counted for the nearest of K words; a feature is the root of a word's share of them. The words
    are fitted to unlabelled images by the method ``codebook``; an encoder that is not pretrained has drawn words.

    Differences from the papers: fixed places, upright, as `dense_sift`; RootSIFT; no inverse document frequency.
    It has no parameters: it cannot be fine-tuned.

    Args:
        words: K; ours, as an image of 28 pixels has few descriptors (the papers' 1000 and more).
        grid: descriptors along each axis, at the middles of as many equal parts.
        radius: half of a descriptor's side in pixels. Unset: a seventh of the image's side, 4 of 28 pixels.
        color: append a histogram of each channel with 16 levels, as SIFT sees no colours.
    """
    from medssl_bench_methods.handmade.sift_words import SiftWords

    return SiftWords(size, words=words, grid=grid, radius=radius or size / 7, color=color)


def codebook(
    encoder: nn.Module,
    context: MethodContext,  # noqa: ARG001 - what every method gets
    *,
    descriptors: Annotated[int, Field(ge=2)] = 100_000,
    iterations: Count = 25,
) -> Method:
    """Fit the words of `sift_words` to all unlabelled images, by k-means before the first epoch.

    The loss is the mean squared distance of a view's descriptors to their nearest word, of which a k-means solution of
    the un-augmented images has a local minimum; it trains nothing, so one epoch is enough.

    Args:
        descriptors: drawn from all images, evenly; more are not clustered.
        iterations: of Lloyd's algorithm, from k-means++ starts.
    """
    from medssl_bench_methods.handmade.codebook import Codebook

    return Codebook(encoder, descriptors=descriptors, iterations=iterations)
