"""Work of methods: passes through the encoder for each image. Importing this imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medssl_bench.methods import Passes


def one_view(parameters: Mapping[str, Any], size: int) -> Passes:  # noqa: ARG001 - the signature of all
    """Return the passes of a method with one view."""
    return Passes(trained=((size, 1),))


def teacher_of_one_view(parameters: Mapping[str, Any], size: int) -> Passes:  # noqa: ARG001 - the signature of all
    """Return the passes of a method whose one view is seen by a student and by a teacher."""
    return Passes(trained=((size, 1),), frozen=((size, 1),))


def teacher_of_two_views(parameters: Mapping[str, Any], size: int) -> Passes:  # noqa: ARG001 - the signature of all
    """Return the passes of a method whose two views are both seen by a student and by a teacher."""
    return Passes(trained=((size, 2),), frozen=((size, 2),))


def queries_and_keys(parameters: Mapping[str, Any], size: int) -> Passes:
    """Return the passes of MoCo: a view is trained and the other is not, or both are both."""
    if parameters["symmetric"]:
        return teacher_of_two_views(parameters, size)
    return Passes(trained=((size, 1),), frozen=((size, 1),), views=((size, 2),))


def two_views_and_queue(parameters: Mapping[str, Any], size: int) -> Passes:
    """Return the passes of SimCLRv2: with a queue, a moving average sees one of the views."""
    return Passes(trained=((size, 2),), frozen=((size, 1),) if parameters["queue"] else ())


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
