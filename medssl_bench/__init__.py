"""medssl-bench: which self-supervised recipe is worth it for your medical images?

The public Python interface. Importing this package imports no torch; names are loaded when first used.
"""

from __future__ import annotations

from medssl_bench.surroundings import leave_out_working_directory

leave_out_working_directory()  # before anything else is imported

# isort: split
# ruff: noqa: E402
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medssl_bench.plugin.markers import hookimpl
    from medssl_bench.session.api import load_encoder, load_leaderboard, make_plan, make_report, run
    from medssl_bench.session.leaderboard import Leaderboard
    from medssl_bench.session.planned import RunPlan
    from medssl_bench.session.running import RunResult
    from medssl_bench.session.site import make_site
    from medssl_bench.suite.suite import Suite

__all__ = [
    "Leaderboard",
    "RunPlan",
    "RunResult",
    "Suite",
    "__version__",
    "hookimpl",
    "load_encoder",
    "load_leaderboard",
    "make_plan",
    "make_report",
    "make_site",
    "run",
]

__version__: str

_LAZY = {
    "Leaderboard": "medssl_bench.session.leaderboard",
    "RunPlan": "medssl_bench.session.planned",
    "RunResult": "medssl_bench.session.running",
    "Suite": "medssl_bench.suite.suite",
    "hookimpl": "medssl_bench.plugin.markers",
    "load_encoder": "medssl_bench.session.api",
    "load_leaderboard": "medssl_bench.session.api",
    "make_plan": "medssl_bench.session.api",
    "make_report": "medssl_bench.session.api",
    "make_site": "medssl_bench.session.site",
    "run": "medssl_bench.session.api",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("medssl-bench")
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, those that are not loaded yet among them, and the modules that are."""
    here = globals()
    return sorted({*__all__, *(name for name in here if name.startswith("__") or isinstance(here[name], ModuleType))})
