"""Self-supervised methods: what turns unlabelled images into an encoder."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medssl_bench.methods.base import Batch, Images, Method, MethodContext, Progress, View
    from medssl_bench.methods.collapse import gauges
    from medssl_bench.methods.precision import in_float32
    from medssl_bench.methods.work import Passes

__all__ = ["Batch", "Images", "Method", "MethodContext", "Passes", "Progress", "View", "gauges", "in_float32"]


def __getattr__(name: str) -> Any:
    """Import torch only when a method is really made: listing components stays instant."""
    if name in __all__:
        module = {"in_float32": "precision", "gauges": "collapse", "Passes": "work"}.get(name, "base")
        return getattr(import_module(f"medssl_bench.methods.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return all names, those that are not loaded yet among them, so that `help` and completion show them."""
    return sorted({*globals(), *__all__})
