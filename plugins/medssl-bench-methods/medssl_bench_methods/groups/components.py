"""Methods that use which images belong together. Importing this module imports no torch: plans are made without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medssl_bench.plugin.markers import hookimpl
from medssl_bench_methods.parameters import Temperature, Width

if TYPE_CHECKING:
    from torch import nn

    from medssl_bench.methods import Method, MethodContext
    from medssl_bench.plugin.registry import Register


@hookimpl
def medssl_methods(register: Register) -> None:
    """Register the methods of this family."""
    register("micle", micle)


def micle(
    encoder: nn.Module,
    context: MethodContext,
    *,
    temperature: Temperature = 0.1,
    hidden: Width = 512,
    projection: Width = 128,
    same_group: bool = False,
) -> Method:
    """MICLe (Azizi et al. 2021): two images of one patient attract each other, and repel those of other patients.

    The loss is NT-Xent (SimCLR, eq. 1) of a view of an image and a view of its partner, which is another image of the
    same group, drawn anew in every epoch. An image that is alone in its group is its own partner: with groups of one
    this is SimCLR. The data set must have groups (``group``, or ``per_patient`` of phantoms).

    Differences from the paper: it continues from a SimCLR encoder of natural images; here a chain of recipes may do so
    (``pretraining = ["simclr", "micle"]``). Other images of the same group are not counted as negatives, because they
    show the same patient; `same_group` counts them, as the paper does.

    Args:
        temperature: what similarities are divided by; the paper's 0.1.
        hidden: width of the head's hidden layer; ours.
        projection: length of the projections; the paper's 128.
        same_group: whether other images of the same group are negatives, too.
    """
    from medssl_bench_methods.groups.multi_instance import MICLe, require_groups

    require_groups(context)
    return MICLe(encoder, temperature=temperature, hidden=hidden, projection=projection, same_group=same_group)
