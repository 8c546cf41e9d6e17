"""The passes of methods that see crops of two sizes. Importing this module imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medssl_bench.methods import Passes


def small_side(size: int, local_size: int | None) -> int:
    """Return the side of small views in pixels.

    Args:
        size: side of the recipe's views.
        local_size: what a suite asks for; None: four sevenths of `size`, 16 of 28, about as the papers' 96 of 224.
    """
    return local_size or max(1, round(size * 4 / 7))


def passes_of_crops(parameters: Mapping[str, Any], size: int) -> Passes:
    """Return two trained passes of large views, and one of each small view."""
    small = (small_side(size, parameters["local_size"]), parameters["local_views"])
    return Passes(trained=((size, 2), small))


def passes_with_teacher(parameters: Mapping[str, Any], size: int) -> Passes:
    """Return the same, and the teacher's passes of the two large views."""
    return Passes(trained=passes_of_crops(parameters, size).trained, frozen=((size, 2),))
