"""medssl-bench: which self-supervised recipe is worth it for your medical images?

The public Python interface. Importing this package imports no torch; names are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medssl_bench.api import load_encoder, load_leaderboard, make_report, run
    from medssl_bench.plugin.markers import hookimpl
    from medssl_bench.report.leaderboard import Leaderboard
    from medssl_bench.suite.suite import Suite

__all__ = [
    "Leaderboard",
    "Suite",
    "__version__",
    "hookimpl",
    "load_encoder",
    "load_leaderboard",
    "make_report",
    "run",
]

__version__: str

_LAZY = {
    "Leaderboard": "medssl_bench.report.leaderboard",
    "Suite": "medssl_bench.suite.suite",
    "hookimpl": "medssl_bench.plugin.markers",
    "load_encoder": "medssl_bench.api",
    "load_leaderboard": "medssl_bench.api",
    "make_report": "medssl_bench.api",
    "run": "medssl_bench.api",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("medssl-bench")
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
