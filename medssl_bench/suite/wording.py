"""What pydantic finds wrong with a suite, in the words of TOML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from medssl_bench.errors import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

EXPECTED = {
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
}
"""What a value must be, by the type of pydantic's error."""

_TABLES = {"comparison": "[[comparison]]", "arm": "[[comparison.arm]]"}
"""Keys whose tables are items of a list, and how their headers are written."""


def wording(details: ErrorDetails, value: Any) -> str:
    """Return what is wrong with a value, in one line.

    Args:
        details: one of pydantic's errors, of a key that is there.
        value: what stands at the key.
    """
    kind, message = details["type"], details["msg"]
    context = details.get("ctx", {})
    key = details["loc"][-1] if details["loc"] else ""
    hint = ""
    if kind == "value_error":
        return str(context.get("error", message)).replace("\n", " ")
    if kind in EXPECTED:
        message = f"expected {EXPECTED[kind]}"
        if key in _TABLES and isinstance(value, dict):
            hint = f"; write its header with two brackets, {_TABLES[key]}"
    elif kind == "literal_error":
        message = f"expected {context['expected']}"
        hint = did_you_mean(value, re.findall(r"'(.*?)'", context["expected"])) if isinstance(value, str) else ""
    elif kind in {"too_short", "string_too_short"}:
        return "this must not be empty"
    elif kind == "string_pattern_mismatch":
        if isinstance(value, str) and not value.strip():
            return "this must not be blank"
        message = "this must not have a slash, a backslash or a control character in it"
        return message if key != "title" else "this must be one line, without control characters"
    return f"{message[:1].lower()}{message[1:]}, not {shown(value)}{hint}"


def shown(value: object) -> str:
    """Return a value as messages show it, in one short line."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
