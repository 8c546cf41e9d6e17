"""Augmentations: batched ops on the device, and the sequence that composes them into one random view."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medssl_bench.augmentations.op import Op
    from medssl_bench.augmentations.sequence import Sequence

__all__ = ["Op", "Sequence"]


def __getattr__(name: str) -> Any:
    """Import torch only when an op is really made: listing components stays instant."""
    if name in __all__:
        return getattr(import_module(f"medssl_bench.augmentations.{name.lower()}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return all names, those that are not loaded yet among them, so that `help` and completion show them."""
    return sorted({*globals(), *__all__})
