"""The encoders and their parameters: dense_sift.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.plugin.registry import Register

Count = Annotated[int, Field(ge=1)]


@hookimpl
def medssl_encoders(register: Register) -> None:
    """Register the encoders."""
    register("dense_sift", dense_sift)


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
