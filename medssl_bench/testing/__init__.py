"""The contract of plugins: every component is built, run on small data and checked.

``medssl-bench check-plugin`` runs the checks; `plugin_checks` gives them as parameters for a plugin's own tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medssl_bench.testing.named import NamedCheck, plugin_checks

__all__ = ["NamedCheck", "plugin_checks"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from medssl_bench.testing import named

        return getattr(named, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return all names, those that are not loaded yet among them, so that `help` and completion show them."""
    return sorted({*globals(), *__all__})
