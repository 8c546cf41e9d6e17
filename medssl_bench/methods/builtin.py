"""The built-in methods. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from medssl_bench.plugin.markers import hookimpl

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.methods.base import Method, MethodContext
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_methods(register: Register) -> None:
    """Register the methods that come with the harness."""
    register("simclr", simclr)


def simclr(
    encoder: nn.Module,
    context: MethodContext,  # noqa: ARG001 - every method is given one
    *,
    temperature: Annotated[float, Field(gt=0)] = 0.07,
    hidden: Annotated[int, Field(ge=1)] = 1000,
    projection: Annotated[int, Field(ge=1)] = 128,
    loss: Literal["nt_xent", "lightly"] = "nt_xent",
) -> Method:
    """SimCLR (Chen et al. 2020), with the thesis' head and temperature by default (Jiang 2023, Table 3.1).

    Args:
        temperature: what NT-Xent divides similarities by.
        hidden: width of the head's hidden layer: 1000 as the thesis prints, 512 as its code ran.
        projection: length of the projections that are compared.
        loss: `nt_xent`, this project's, which does not synchronise the device, or `lightly`, lightly's NTXentLoss;
            both have the same value.
    """
    from medssl_bench.methods.simclr import SimCLR

    return SimCLR(encoder, hidden=hidden, projection=projection, temperature=temperature, loss=loss)
