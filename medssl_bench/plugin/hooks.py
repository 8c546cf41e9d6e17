"""What of a plugin looks like a hook and is none: nothing would ever call it, and nothing would say so."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import did_you_mean
from medssl_bench.plugin import hookspecs
from medssl_bench.plugin.markers import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "medssl_"

_OF_RUNS = ("medssl_run_", "medssl_stage_", "medssl_epoch_")
"""What the names of hooks that observe a run begin with."""

_ALMOST = 0.92
"""How alike a function's name is to that of a hook, from 0 to 1, if it is a slip; one letter or two."""

HOOKS = {
    name: tuple(inspect.signature(spec).parameters)
    for name, spec in vars(hookspecs).items()
    if name.startswith(_PREFIX)
}
"""The hooks, and the arguments of each."""


def wrong_with_hooks(implementation: object) -> str:
    """Return what is wrong with the hooks of a plugin, in one line, or an empty string.

    Args:
        implementation: a module, or an object with methods.
    """
    for name, function in _functions(implementation):
        options = getattr(function, f"{PROJECT}_impl", None)
        if options is None:
            almost = name if name in HOOKS else next(iter(get_close_matches(name, HOOKS, 1, _ALMOST)), None)
            if almost is not None and not hasattr(function, f"{PROJECT}_spec"):
                is_it = "" if almost == name else f" (did you mean {almost!r}?)"
                return f"its function {name!r}{is_it} is not marked with @hookimpl, so nothing would call it"
            continue
        hook = options.get("specname") or name
        if hook not in HOOKS:
            return f"there is no hook {hook!r}{_hint(hook)}"
        takes = HOOKS[hook]
        unknown = [argument for argument in _arguments(function) if argument not in takes]
        if unknown:
            hint = did_you_mean(unknown[0], takes)
            return f"hook {hook!r} has no argument {unknown[0]!r}{hint}; it has {', '.join(takes)}"
    return ""


def watched_hooks(implementation: object) -> list[str]:
    """Return the names of the run's hooks that a module, or an object with methods, implements."""
    marked = [(name, getattr(function, f"{PROJECT}_impl", None)) for name, function in _functions(implementation)]
    found = [options.get("specname") or name for name, options in marked if options is not None]
    return sorted(name for name in found if name.startswith(_OF_RUNS))


def _hint(hook: str) -> str:
    word = next((known for known in HOOKS if known.removeprefix(_PREFIX).rstrip("s") == hook.rstrip("s")), "")
    known = ", ".join(HOOKS)
    return f" (did you mean {word!r}?)" if word else did_you_mean(hook, HOOKS) or f"; the hooks are {known}"


def _functions(implementation: object) -> Iterator[tuple[str, Any]]:
    """Yield the functions of a module, or the methods of an object, by name."""
    for name in dir(implementation):
        found = inspect.getattr_static(implementation, name, None)
        if isinstance(found, staticmethod | classmethod):
            found = found.__func__
        if inspect.isfunction(found):
            yield name, found


def _arguments(function: Any) -> list[str]:
    """Return the arguments that pluggy would pass: those without a default, but for an object's own."""
    parameters = inspect.signature(function).parameters.values()
    names = [
        p.name for p in parameters if p.default is p.empty and p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}
    ]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names
