"""Mappings that components return: their names and values are checked on return.

Each function returns the first thing that is wrong, to be said after "gives", in one line; or an empty string.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_LONGEST_NAME, _LONGEST_SENTENCE, _LONGEST_VALUE = 60, 400, 60


def wrong_with_names(what: str, given: Any, reserved: Collection[str] = (), prefix: str = "") -> str:
    """Say what is wrong with the names of a mapping.

    Args:
        what: what its values are, such as ``metric``.
        given: the mapping; a plugin may have given anything.
        reserved: names that the harness uses itself.
        prefix: names that begin so are reserved, too; empty: none are.
    """
    if not isinstance(given, Mapping):
        return f"{what}s as {type(given).__name__}, not as a dict by name"
    taken = {name.casefold() for name in reserved}  # on some file systems "Head" and "head" are one file
    seen: dict[str, str] = {}
    for name in given:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            return (
                f"a {what} called {_short(name)}; a name is a letter and then letters, digits, '_', '-' and '.', "
                f"{_LONGEST_NAME} at most"
            )
        folded = name.casefold()
        if folded in taken:
            return (
                f"a {what} called {name!r}, which is a name of the harness' own; give it another "
                f"(reserved: {', '.join(reserved)})"
            )
        if prefix and folded.startswith(prefix):
            return f"a {what} called {name!r}; names that begin with {prefix!r} are the harness' own; give it another"
        if folded in seen:
            return f"two {what}s called {seen[folded]!r} and {name!r}, which are one name on some file systems"
        seen[folded] = name
    return ""


def wrong_with_numbers(what: str, given: Any, reserved: Collection[str] = ()) -> str:
    """Say what is wrong with a mapping from names to numbers; arguments as of `wrong_with_names`."""
    if wrong := wrong_with_names(what, given, reserved):
        return wrong
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            kind = type(value).__name__
            return f"the {what} {name!r} as {kind} {_short(value)}, not as a number; give an int or a float"
        if not is_finite(value):
            return (
                f"the {what} {name!r} as {_short(value)}; has the training diverged? Try a smaller learning rate, or "
                "give no number that is not defined"
            )
    return ""


def wrong_with_flags(given: Any, reserved: Collection[str] = ()) -> str:
    """Say what is wrong with flags: sentences of one line by code."""
    if wrong := wrong_with_names("flag", given, reserved):
        return wrong
    for code, sentence in given.items():
        sound = isinstance(sentence, str) and sentence.strip() and sentence.isprintable()
        if not sound or len(sentence) > _LONGEST_SENTENCE:
            return f"the flag {code!r} as {_short(sentence)}, not as a sentence of one line"
    return ""


def is_finite(value: float) -> bool:
    """Return whether a number is finite, as a float: a whole number may be too large for one."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _short(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - of a plugin's own type
        text = f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
