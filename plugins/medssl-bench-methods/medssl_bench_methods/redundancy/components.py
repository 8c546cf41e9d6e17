"""Methods that make the components of a representation vary and not repeat each other: Barlow Twins, VICReg.

Importing this module imports no torch: plans are made without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl
from medssl_bench_methods.parameters import Width

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.methods import Method, MethodContext
    from medssl_bench.plugin.registry import Register

Weight = Annotated[float, Field(ge=0)]


@hookimpl
def medssl_methods(register: Register) -> None:
    """Register the methods of this family."""
    register("barlow_twins", barlow_twins)
    register("vicreg", vicreg)


def barlow_twins(
    encoder: nn.Module,
    context: MethodContext,  # noqa: ARG001 - every method is given one
    *,
    hidden: Width = 512,
    projection: Width = 512,
    redundancy: Annotated[float, Field(gt=0)] | None = None,
) -> Method:
    """Barlow Twins (Zbontar et al. 2021): each component of two views' projections agrees, and no two are alike.

    With C the cross-correlation of the batch-normalised projections (B, d) of the two views (eq. 2), the loss is
    ``1 / d * (sum_i (1 - C_ii)^2 + redundancy * sum_i sum_j!=i C_ij^2)`` (eq. 1).

    Differences from the paper: the division by d, so that one learning rate suits all widths; heads of 512, not 8192,
    so that the head does not cost more than an encoder of small images. The encoder sees each view by itself, as in
    the paper's code.

    Args:
        hidden: width of the head's two hidden layers; the paper's 8192.
        projection: length d of the projections; the paper's 8192. A batch of B images measures C with an error of about
            1 / sqrt(B), so more than 4 B components are noise.
        redundancy: the paper's lambda, 0.005 at its d of 8192; unset: 5 / d, ours, as the second sum grows with d.
    """
    from medssl_bench_methods.redundancy.barlow_twins import BarlowTwins

    weight = 5 / projection if redundancy is None else redundancy
    return BarlowTwins(encoder, hidden=hidden, projection=projection, redundancy=weight)


def vicreg(
    encoder: nn.Module,
    context: MethodContext,  # noqa: ARG001 - every method is given one
    *,
    hidden: Width = 512,
    projection: Width = 512,
    invariance: Weight = 25.0,
    variance: Weight = 25.0,
    covariance: Weight = 1.0,
) -> Method:
    """VICReg (Bardes et al. 2022): projections of two views are near, vary over the batch, and are not correlated.

    The loss is ``invariance * s(Z, Z') + variance * (v(Z) + v(Z')) / 2 + covariance * (c(Z) + c(Z'))`` (eq. 6): s is
    the mean squared difference, v the mean over components of ``max(0, 1 - standard deviation)``, c the sum of the
    squared covariances of different components, divided by d. The halved variance is that of the authors' code and of
    lightly; the paper's equation has none.

    Differences from the paper: heads of 512, not 8192, so that the head does not cost more than an encoder of small
    images.

    Args:
        hidden: width of the head's two hidden layers; the paper's 8192.
        projection: length d of the projections; the paper's 8192.
        invariance: the paper's lambda.
        variance: the paper's mu.
        covariance: the paper's nu.
    """
    from medssl_bench_methods.redundancy.vicreg import VICReg

    return VICReg(
        encoder,
        hidden=hidden,
        projection=projection,
        invariance=invariance,
        variance=variance,
        covariance=covariance,
    )
