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
