"""Functions that are imported when they are called: plans know every metric, and must not wait for NumPy."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def later(place: str, **fixed: Any) -> Callable[[Any], Any]:
    """Return a function of one argument that calls another.

    Args:
        place: ``MODULE:FUNCTION`` in this package.
        fixed: its further arguments.
    """
    return partial(_called, place, fixed)


def _called(place: str, fixed: dict[str, Any], given: Any) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"medssl_bench.metrics.{module}"), name)(given, **fixed)
